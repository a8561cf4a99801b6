-- Yonyou U8: the customers of one account set, the columns that matter.
CREATE TABLE CustomerClass (cCCCode varchar(12) PRIMARY KEY, cCCName varchar(50));
CREATE TABLE DistrictClass (cDCCode varchar(12) PRIMARY KEY, cDCName varchar(50));
CREATE TABLE Customer (cCusCode varchar(20) PRIMARY KEY, cCusName varchar(98), cCusAbbName varchar(60),
    cCCCode varchar(12), cDCCode varchar(12), cCusRegCode varchar(50), cCusAddress varchar(255),
    cCusPostCode varchar(20), cCusPhone varchar(100), cCusHand varchar(100), cCusEmail varchar(100),
    cCusPerson varchar(50), cCusLPerson varchar(100), cMemo varchar(240), dCusDevDate datetime,
    dEndDate datetime, dModifyDate datetime, dCusCreateDatetime datetime, cCusDefine1 varchar(20),
    cProvince nvarchar(60), cCity nvarchar(60), cCounty nvarchar(60));
INSERT INTO CustomerClass VALUES ('01', '经销商'), ('02', '终端');
INSERT INTO DistrictClass VALUES ('0571', '浙江区');
INSERT INTO Customer VALUES
    ('0000123', '杭州示例贸易有限公司', '杭州示例', '01', '0571', '91330106MA27XU3LXL', '文三路100号', '310012',
     '0571-87654321/87654322', '13800001111', 'office@example.com', '王小明', '李大华', '大客户',
     '2019-03-04 00:00:00', NULL, '2024-05-06 00:00:00', '2019-03-04 10:11:12', 'wx-sample', '浙江省',
     '杭州市', '西湖区'),
    ('123', '宁波示例五金厂', '宁波五金', '02', NULL, NULL, '宁波市海曙区中山东路1号', NULL, '0574-87001234',
     NULL, NULL, '赵经理', NULL, NULL, '2018-01-01 00:00:00', '2022-12-31 00:00:00', NULL, NULL, NULL,
     NULL, NULL, NULL),
    ('张三', '张三', '张三', '02', NULL, '', NULL, NULL, NULL, '13900002222', NULL, NULL, NULL, NULL,
     '2020-02-02 00:00:00', NULL, NULL, '2020-02-02 08:00:00', NULL, NULL, NULL, NULL);
