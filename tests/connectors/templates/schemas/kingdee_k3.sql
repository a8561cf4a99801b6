-- Kingdee K/3: customers of one account set, the columns that matter.
CREATE TABLE t_Item (FItemID int PRIMARY KEY, FItemClassID int, FNumber varchar(80), FName varchar(255),
    FParentID int, FLevel smallint, FDetail bit, FDeleted smallint);
CREATE TABLE t_SubMessage (FInterID int PRIMARY KEY, FParentID int, FID varchar(80), FName varchar(255));
CREATE TABLE t_Organization (FItemID int PRIMARY KEY, FNumber varchar(80), FShortNumber varchar(80),
    FName varchar(255), FShortName varchar(255), FAddress varchar(255), FCity varchar(80),
    FProvince varchar(80), FCountry varchar(80), FPostalCode varchar(20), FPhone varchar(40),
    FMobilePhone varchar(40), FEmail varchar(40), FContact varchar(50), FCorperate varchar(50),
    FTaxNum varchar(50), FTaxID varchar(50), FRegionID int, FRegDate datetime,
    FLastModifyDate datetime, FDeleted smallint, F_102 varchar(255));
INSERT INTO t_SubMessage VALUES (205, 26, '01', '江苏省');
INSERT INTO t_Item VALUES (101, 1, '01', '华东', 0, 1, 0, 0), (102, 1, '01.001', '苏州示例', 101, 2, 1, 0),
    (103, 1, '01.002', '南京示例', 101, 2, 1, 1), (104, 8, '01', '供应商', 0, 1, 1, 0),
    (105, 1, '02.001', '刘洋', 0, 2, 1, 0);
INSERT INTO t_Organization VALUES
    (102, '01.001', '001', '苏州示例电子有限公司', '苏州示例', '星湖街328号', '苏州市', NULL, NULL, '215000',
     '0512-66001234', '13800001111', 'info@example.com', '孙先生', '周总', '91320594MA1MX3YU9N', NULL, 205,
     '2015-06-07 00:00:00', NULL, 0, '微信 sample'),
    (103, '01.002', '002', '南京示例机械有限公司', NULL, '中山路1号', '南京市', '江苏省', '中国', NULL,
     '025-84201234', NULL, NULL, NULL, NULL, '', '91320100MA1MX3YU9N', 0, '2015-06-07 00:00:00',
     '2023-08-09 10:11:12', 0, NULL),
    (104, '01', '01', '某供应商', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, NULL, NULL, 0, NULL),
    (105, '02.001', '001', '刘洋', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '13700003333', NULL, NULL,
     NULL, NULL, NULL, NULL, '2016-06-07 00:00:00', NULL, 0, NULL);
