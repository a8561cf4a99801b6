-- Kingdee Cloud Galaxy: customers of several organizations, the columns that matter.
CREATE TABLE T_BD_CUSTOMER (FCUSTID int PRIMARY KEY, FNUMBER nvarchar(80), FMASTERID int,
    FCREATEORGID int, FUSEORGID int, FDOCUMENTSTATUS char(1), FFORBIDSTATUS char(1),
    FTAXREGISTERCODE nvarchar(80), FTEL nvarchar(80), FZIP nvarchar(30), FADDRESS nvarchar(255),
    FCREATEDATE datetime, FMODIFYDATE datetime);
CREATE TABLE T_BD_CUSTOMER_L (FPKID int PRIMARY KEY, FCUSTID int, FLOCALEID int, FNAME nvarchar(255),
    FSHORTNAME nvarchar(255));
INSERT INTO T_BD_CUSTOMER VALUES
    (1001, 'CUST0001', 1001, 1, 1, 'C', 'A', '91330106MA27XU3LXL', '0571-87654321', '310012', '杭州市文三路100号',
     '2020-01-01 08:00:00', '2024-02-03 04:05:06'),
    (1002, 'CUST0001', 1001, 1, 2, 'C', 'A', '91330106MA27XU3LXL', '0571-87654321', NULL, NULL,
     '2020-01-02 08:00:00', '2020-01-02 08:00:00'),
    (1003, 'CUST0002', 1003, 2, 2, 'C', 'B', NULL, NULL, NULL, NULL, '2020-01-01 08:00:00', NULL);
INSERT INTO T_BD_CUSTOMER_L VALUES (1, 1001, 2052, '杭州示例贸易有限公司', '杭州示例'),
    (2, 1001, 1033, 'Hangzhou Sample Trading Co., Ltd.', NULL), (3, 1002, 2052, '杭州示例贸易有限公司', NULL),
    (4, 1003, 1033, 'Closed Sample Ltd.', NULL);
