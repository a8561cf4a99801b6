-- SuiteCRM 7 on MariaDB: the columns that matter, types as its vardefs make them.
CREATE TABLE accounts (id char(36) PRIMARY KEY, name varchar(150), date_entered datetime,
    date_modified datetime, description text, deleted tinyint(1) DEFAULT 0, industry varchar(50),
    billing_address_street varchar(150), billing_address_city varchar(100),
    billing_address_state varchar(100), billing_address_postalcode varchar(20),
    billing_address_country varchar(255), phone_office varchar(100), phone_alternate varchar(100));
CREATE TABLE accounts_cstm (id_c char(36) PRIMARY KEY, vat_no_c varchar(30));
CREATE TABLE contacts (id char(36) PRIMARY KEY, date_entered datetime, date_modified datetime,
    description text, deleted tinyint(1) DEFAULT 0, first_name varchar(100), last_name varchar(100),
    birthdate date, phone_home varchar(100), phone_mobile varchar(100), phone_work varchar(100),
    phone_other varchar(100), primary_address_street varchar(150), primary_address_city varchar(100),
    primary_address_state varchar(100), primary_address_postalcode varchar(20),
    primary_address_country varchar(255));
CREATE TABLE accounts_contacts (id varchar(36) PRIMARY KEY, contact_id varchar(36),
    account_id varchar(36), date_modified datetime, deleted tinyint(1) DEFAULT 0);
CREATE TABLE email_addresses (id char(36) PRIMARY KEY, email_address varchar(255),
    email_address_caps varchar(255), invalid_email tinyint(1) DEFAULT 0,
    opt_out tinyint(1) DEFAULT 0, date_modified datetime, deleted tinyint(1) DEFAULT 0);
CREATE TABLE email_addr_bean_rel (id char(36) PRIMARY KEY, email_address_id char(36), bean_id char(36),
    bean_module varchar(100), primary_address tinyint(1) DEFAULT 0, date_modified datetime,
    deleted tinyint(1) DEFAULT 0);
INSERT INTO accounts VALUES
    ('a1', 'O&#039;Sample &amp; Sons Ltd', '2022-01-01 00:00:00', '2022-02-02 00:00:00', NULL, 0, 'Retail',
     '1 Sample Street\nFloor 2', 'Hartford', 'CT', '06101', 'USA', '(860) 555-0100', ''),
    ('a2', 'Gone Ltd', '2022-01-01 00:00:00', '2022-02-02 00:00:00', NULL, 1, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, NULL),
    ('a3', '成都示例文化传播有限公司', '2022-01-01 00:00:00', '2022-02-02 00:00:00', '老客户', 0, NULL, '天府大道 1 号',
     '成都市', '四川省', '610000', 'China', '028-85001234', '13800001111');
INSERT INTO accounts_cstm VALUES ('a1', 'C-77');
INSERT INTO contacts VALUES
    ('c1', '2022-01-01 00:00:00', '2022-02-02 00:00:00', NULL, 0, 'Ann', 'Muster', '1980-05-06', NULL,
     '860-555-0123', '860-555-0100 x12', NULL, '1 Sample Street', 'Hartford', 'CT', '06101', 'USA'),
    ('c2', '2022-01-01 00:00:00', '2022-02-02 00:00:00', NULL, 0, '小明', '王', '0000-00-00', NULL,
     '13900002222', NULL, NULL, NULL, '成都市', '四川省', NULL, 'China'),
    ('c3', '2022-01-01 00:00:00', '2022-02-02 00:00:00', NULL, 1, 'Deleted', 'Person', NULL, NULL,
     NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO accounts_contacts VALUES
    ('x1', 'c1', 'a2', '2022-01-01 00:00:00', 0), ('x2', 'c1', 'a1', '2022-01-01 00:00:00', 0),
    ('x3', 'c2', 'a3', '2023-03-03 03:03:03', 1);
INSERT INTO email_addresses VALUES
    ('e1', 'Office@Example.com', 'OFFICE@EXAMPLE.COM', 0, 0, '2022-01-01 00:00:00', 0),
    ('e2', 'billing@example.com', 'BILLING@EXAMPLE.COM', 0, 1, '2024-04-05 06:07:08', 0),
    ('e3', 'dead@example.com', 'DEAD@EXAMPLE.COM', 1, 0, '2022-01-01 00:00:00', 1),
    ('e4', 'ann@example.com', 'ANN@EXAMPLE.COM', 0, 0, '2022-01-01 00:00:00', 0);
INSERT INTO email_addr_bean_rel VALUES
    ('r1', 'e2', 'a1', 'Accounts', 0, '2022-01-01 00:00:00', 0),
    ('r2', 'e1', 'a1', 'Accounts', 1, '2022-01-01 00:00:00', 0),
    ('r3', 'e3', 'a1', 'Accounts', 0, '2022-01-01 00:00:00', 0),
    ('r4', 'e4', 'c1', 'Contacts', 1, '2022-01-01 00:00:00', 0),
    ('r5', 'e1', 'a3', 'Accounts', 1, '2023-07-08 09:10:11', 1),
    ('r6', 'e2', 'c1', 'Accounts', 0, '2022-01-01 00:00:00', 0);
