-- iDempiere 11 on PostgreSQL, in the schema of its owner: the columns that matter.
CREATE SCHEMA adempiere;
CREATE TABLE adempiere.c_bpartner (c_bpartner_id numeric(10) PRIMARY KEY, ad_client_id numeric(10),
    ad_org_id numeric(10), isactive char(1), created timestamp, updated timestamp, value varchar(40),
    name varchar(120), name2 varchar(60), taxid varchar(20), duns char(11), iscustomer char(1),
    isvendor char(1), isemployee char(1), isprospect char(1), issummary char(1),
    socreditstatus char(1));
CREATE TABLE adempiere.c_bpartner_location (c_bpartner_location_id numeric(10) PRIMARY KEY,
    c_bpartner_id numeric(10), c_location_id numeric(10), isactive char(1), updated timestamp,
    isbillto char(1), isshipto char(1), phone varchar(40), phone2 varchar(40));
CREATE TABLE adempiere.c_location (c_location_id numeric(10) PRIMARY KEY, updated timestamp,
    address1 varchar(60), address2 varchar(60), address3 varchar(60), address4 varchar(60),
    city varchar(60), postal varchar(10), c_region_id numeric(10), regionname varchar(40),
    c_country_id numeric(10));
CREATE TABLE adempiere.c_region (c_region_id numeric(10) PRIMARY KEY, name varchar(60));
CREATE TABLE adempiere.c_country (c_country_id numeric(10) PRIMARY KEY, countrycode char(2));
CREATE TABLE adempiere.ad_user (ad_user_id numeric(10) PRIMARY KEY, c_bpartner_id numeric(10),
    isactive char(1), updated timestamp, name varchar(60), email varchar(60), phone varchar(40),
    phone2 varchar(40), birthday timestamp);
INSERT INTO adempiere.c_country VALUES (100, 'US'), (153, 'CN');
INSERT INTO adempiere.c_region VALUES (103, 'CT');
INSERT INTO adempiere.c_location VALUES
    (1, '2021-01-01', '1 Sample Road', 'Suite 5', NULL, NULL, 'Hartford', '06101', 103, NULL, 100),
    (2, '2021-01-01', '9 Dock Street', NULL, NULL, NULL, 'Hartford', '06101', 103, NULL, 100),
    (3, '2024-03-01', '中山路 1 号', NULL, NULL, NULL, '南京市', '210005', NULL, '江苏省', 153);
INSERT INTO adempiere.c_bpartner VALUES
    (1000000, 1000000, 0, 'Y', '2020-05-01', '2021-05-01', 'C1000', 'Sample Garden', 'Supplies Inc',
     '94-1234567', NULL, 'Y', 'N', 'N', 'Y', 'N', 'X'),
    (1000001, 1000000, 0, 'N', '2020-05-01', '2022-05-01', 'C1001', '南京示例园艺有限公司', NULL, NULL, NULL,
     'Y', 'Y', 'N', 'N', 'N', 'X'),
    (1000002, 1000000, 0, 'Y', '2020-05-01', '2021-05-01', 'V1', 'Vendor Only LLC', NULL, NULL, NULL,
     'N', 'Y', 'N', 'N', 'N', 'X'),
    (1000003, 1000000, 0, 'Y', '2020-05-01', '2021-05-01', 'ALL', 'All customers', NULL, NULL, NULL,
     'Y', 'N', 'N', 'N', 'Y', 'X'),
    (1000004, 1000001, 0, 'Y', '2020-05-01', '2021-05-01', 'C1000', 'Other Tenant Corp', NULL, NULL,
     NULL, 'Y', 'N', 'N', 'N', 'N', 'X');
INSERT INTO adempiere.c_bpartner_location VALUES
    (1, 1000000, 2, 'Y', '2021-01-01', 'N', 'Y', '860-555-0199', NULL),
    (2, 1000000, 1, 'Y', '2021-01-01', 'Y', 'N', '860-555-0100', NULL),
    (3, 1000000, 2, 'N', '2024-08-01 10:00:00', 'Y', 'N', '860-555-0177', NULL),
    (4, 1000001, 3, 'Y', '2021-01-01', 'N', 'Y', '025-84201234', NULL);
INSERT INTO adempiere.ad_user VALUES
    (11, 1000000, 'Y', '2021-01-01', 'Joe Sample', 'joe@example.com', '860-555-0111', '860-555-0122', NULL),
    (12, 1000000, 'Y', '2021-01-01', 'Sue Sample', 'sue@example.com', NULL, NULL, NULL),
    (13, 1000000, 'N', '2022-01-01', 'Left Company', 'left@example.com', NULL, NULL, NULL);
