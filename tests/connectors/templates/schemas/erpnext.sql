-- ERPNext 14 on MariaDB: the columns that matter, types as Frappe makes them.
CREATE TABLE `tabCustomer` (name varchar(140) PRIMARY KEY, creation datetime(6), modified datetime(6),
    docstatus int(1) NOT NULL DEFAULT 0, customer_name varchar(140), customer_type varchar(140),
    customer_group varchar(140), territory varchar(140), tax_id varchar(140),
    customer_primary_contact varchar(140), customer_primary_address varchar(140),
    email_id varchar(140), mobile_no varchar(140), disabled int(1) NOT NULL DEFAULT 0);
CREATE TABLE `tabContact` (name varchar(140) PRIMARY KEY, modified datetime(6), first_name varchar(140),
    last_name varchar(140), company_name varchar(140), email_id varchar(140), phone varchar(140),
    mobile_no varchar(140), is_primary_contact int(1) NOT NULL DEFAULT 0);
CREATE TABLE `tabContact Email` (name varchar(140) PRIMARY KEY, modified datetime(6),
    parent varchar(140), parenttype varchar(140), idx int, email_id varchar(140),
    is_primary int(1) NOT NULL DEFAULT 0);
CREATE TABLE `tabContact Phone` (name varchar(140) PRIMARY KEY, modified datetime(6),
    parent varchar(140), parenttype varchar(140), idx int, phone varchar(140),
    is_primary_phone int(1) NOT NULL DEFAULT 0, is_primary_mobile_no int(1) NOT NULL DEFAULT 0);
CREATE TABLE `tabAddress` (name varchar(140) PRIMARY KEY, modified datetime(6),
    address_line1 varchar(240), address_line2 varchar(240), city varchar(140), county varchar(140),
    state varchar(140), pincode varchar(140), country varchar(140), email_id varchar(140),
    phone varchar(140), is_primary_address int(1) NOT NULL DEFAULT 0);
CREATE TABLE `tabDynamic Link` (name varchar(140) PRIMARY KEY, parent varchar(140),
    parenttype varchar(140), link_doctype varchar(140), link_name varchar(140));
INSERT INTO `tabCustomer` VALUES
    ('CUST-2024-00001', '2024-01-02 03:04:05.678901', '2024-01-03 00:00:00', 0, 'Sample Widgets Ltd',
     'Company', 'Commercial', 'United Kingdom', 'GB999999973', 'Ann Sample-Sample Widgets', 'Sample-Billing',
     'stale@example.com', '', 0),
    ('示例科技', '2024-01-02 03:04:05', '2024-02-03 00:00:00', 0, '示例科技（深圳）有限公司', 'Company',
     '商业', '中国', NULL, '', NULL, NULL, NULL, 0),
    ('Bob Muster', '2023-05-02 00:00:00', '2023-05-02 00:00:00', 0, 'Bob Muster', 'Individual',
     'Individual', 'Germany', NULL, NULL, NULL, 'bob@example.org', '+49 1512 3456789', 1),
    ('Cancelled', '2023-05-02 00:00:00', '2023-05-02 00:00:00', 2, 'Cancelled Draft', 'Company',
     NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0);
INSERT INTO `tabContact` VALUES
    ('Ann Sample-Sample Widgets', '2024-01-04 00:00:00', 'Ann', 'Sample', NULL, 'ann@example.com',
     '+44 20 7946 0018', '+49 1512 3456789', 1),
    ('赵一-示例科技', '2024-02-03 00:00:00', '赵一', NULL, NULL, NULL, '', NULL, 0),
    ('钱二-示例科技', '2024-02-03 00:00:00', '钱二', NULL, NULL, 'qian@example.com', '', NULL, 1);
INSERT INTO `tabContact Email` VALUES
    ('e1', '2024-01-04 00:00:00', 'Ann Sample-Sample Widgets', 'Contact', 1, 'office@example.com', 0),
    ('e2', '2024-06-07 08:09:10.5', 'Ann Sample-Sample Widgets', 'Contact', 2, 'ann@example.com', 1);
INSERT INTO `tabContact Phone` VALUES
    ('p1', '2024-01-04 00:00:00', 'Ann Sample-Sample Widgets', 'Contact', 1, '+44 20 7946 0018', 1, 0),
    ('p2', '2024-01-04 00:00:00', 'Ann Sample-Sample Widgets', 'Contact', 2, '+49 1512 3456789', 0, 1);
INSERT INTO `tabAddress` VALUES
    ('Sample-Billing', '2024-01-04 00:00:00', '1 Sample Street', 'Unit 2', 'London', NULL, NULL,
     'SW1A 1AA', 'United Kingdom', NULL, NULL, 1),
    ('示例科技-办公', '2024-09-01 00:00:00', '科技路 8 号', NULL, '深圳市', '南山区', '广东省', '518000',
     'China', NULL, '0755-26001234', 0);
INSERT INTO `tabDynamic Link` VALUES
    ('l1', 'Ann Sample-Sample Widgets', 'Contact', 'Customer', 'CUST-2024-00001'),
    ('l2', 'Sample-Billing', 'Address', 'Customer', 'CUST-2024-00001'),
    ('l3', '赵一-示例科技', 'Contact', 'Customer', '示例科技'),
    ('l4', '钱二-示例科技', 'Contact', 'Customer', '示例科技'),
    ('l5', '示例科技-办公', 'Address', 'Customer', '示例科技'),
    ('l6', '赵一-示例科技', 'Contact', 'Supplier', 'Bob Muster');
