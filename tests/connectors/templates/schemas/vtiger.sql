-- vtiger CRM 7 on MariaDB: the columns that matter, types as its schema makes them.
CREATE TABLE vtiger_crmentity (crmid int(19) PRIMARY KEY, setype varchar(100), description mediumtext,
    createdtime datetime, modifiedtime datetime, deleted int(1) NOT NULL DEFAULT 0);
CREATE TABLE vtiger_account (accountid int(19) PRIMARY KEY, account_no varchar(100),
    accountname varchar(100), industry varchar(200), email1 varchar(100), email2 varchar(100),
    phone varchar(30), otherphone varchar(30), emailoptout varchar(3) DEFAULT '0');
CREATE TABLE vtiger_accountbillads (accountaddressid int(19) PRIMARY KEY, bill_city varchar(30),
    bill_code varchar(30), bill_country varchar(30), bill_state varchar(30), bill_street varchar(250));
CREATE TABLE vtiger_contactdetails (contactid int(19) PRIMARY KEY, contact_no varchar(100),
    accountid int(19), salutation varchar(200), firstname varchar(40), lastname varchar(80),
    email varchar(100), phone varchar(50), mobile varchar(50), otheremail varchar(100),
    secondaryemail varchar(100), emailoptout varchar(3) DEFAULT '0');
CREATE TABLE vtiger_contactsubdetails (contactsubscriptionid int(19) PRIMARY KEY,
    homephone varchar(50), otherphone varchar(50), birthday date);
CREATE TABLE vtiger_contactaddress (contactaddressid int(19) PRIMARY KEY, mailingcity varchar(40),
    mailingstreet varchar(250), mailingcountry varchar(40), mailingstate varchar(30),
    mailingzip varchar(30));
INSERT INTO vtiger_crmentity VALUES
    (10, 'Accounts', NULL, '2021-01-01 00:00:00', '2021-06-01 12:00:00', 0),
    (11, 'Accounts', NULL, '2021-01-01 00:00:00', '2021-06-01 12:00:00', 1),
    (12, 'Contacts', 'met at a fair', '2021-01-01 00:00:00', '2021-02-01 00:00:00', 0),
    (13, 'Contacts', NULL, '2021-01-01 00:00:00', '2021-02-01 00:00:00', 0),
    (14, 'Leads', NULL, '2021-01-01 00:00:00', '2021-02-01 00:00:00', 0),
    (15, 'Contacts', NULL, '2021-01-01 00:00:00', '2021-02-01 00:00:00', 1);
INSERT INTO vtiger_account VALUES
    (10, 'ACC1', 'Beispiel Handels GmbH', 'Retail', 'info@example.org', 'order@example.org', '089 123456',
     '', '1'),
    (11, 'ACC2', 'Deleted GmbH', NULL, NULL, NULL, NULL, NULL, '0');
INSERT INTO vtiger_accountbillads VALUES (10, 'München', '80331', 'Germany', 'Bayern', 'Musterstraße 7');
INSERT INTO vtiger_contactdetails VALUES
    (12, 'CON1', 10, 'Frau', 'Erika', 'Beispiel', 'erika@example.org', '089 123457', NULL, NULL,
     'e.beispiel@example.net', '0'),
    (13, 'CON2', 11, NULL, '', '张伟', NULL, NULL, '13700003333', NULL, NULL, '0'),
    (15, 'CON3', 10, NULL, 'Gone', 'Contact', NULL, NULL, NULL, NULL, NULL, '0');
INSERT INTO vtiger_contactsubdetails VALUES (12, '089 999999', NULL, '0000-00-00'),
    (13, NULL, NULL, '1985-10-01');
INSERT INTO vtiger_contactaddress VALUES (12, 'München', 'Musterstraße 7', 'Germany', 'Bayern', '80331');
