-- Odoo 17 with account, sale and crm: the columns that matter, types as Odoo makes them.
CREATE TABLE res_country (id serial PRIMARY KEY, code varchar(2), name jsonb);
CREATE TABLE res_country_state (id serial PRIMARY KEY, country_id int, name varchar, code varchar);
CREATE TABLE res_partner_industry (id serial PRIMARY KEY, name jsonb, active boolean);
CREATE TABLE res_company (id serial PRIMARY KEY, name varchar, partner_id int);
CREATE TABLE res_users (id serial PRIMARY KEY, login varchar, partner_id int, share boolean);
CREATE TABLE res_partner (
    id serial PRIMARY KEY, company_id int, create_date timestamp, write_date timestamp,
    name varchar, complete_name varchar, commercial_company_name varchar, company_name varchar,
    parent_id int, commercial_partner_id int, type varchar, is_company boolean, active boolean,
    ref varchar, vat varchar, email varchar, phone varchar, mobile varchar, street varchar,
    street2 varchar, city varchar, zip varchar, state_id int, country_id int, industry_id int,
    comment text, customer_rank int, supplier_rank int, partner_share boolean
);
INSERT INTO res_country VALUES
    (48, 'CN', '{"en_US": "China", "zh_CN": "中国"}'), (57, 'DE', '{"en_US": "Germany"}');
INSERT INTO res_country_state VALUES (1, 48, 'Zhejiang', 'ZJ'), (2, 57, 'Bayern', 'BY');
INSERT INTO res_partner_industry VALUES
    (1, '{"en_US": "Construction", "zh_CN": "建筑业"}', true), (2, '{"en_US": "Energy"}', true);
INSERT INTO res_partner VALUES
    (1, NULL, '2023-01-01 08:00:00', '2023-01-01 08:00:00', '自己有限公司', '自己有限公司',
     '自己有限公司', NULL, NULL, 1, 'contact', true, true, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, NULL, NULL, 48, NULL, NULL, 0, 0, false),
    (7, 1, '2023-02-01 08:00:00.123456', '2024-01-05 09:00:00.5', '杭州示例贸易有限公司',
     '杭州示例贸易有限公司', '杭州示例贸易有限公司', NULL, NULL, 7, 'contact', true, true, 'C-7', '/',
     'Office@Example.com', '0571-87654321', NULL, '文三路 100 号', '2 幢 301 室', '杭州市', '310012',
     1, 48, 1, '<p>VIP</p>', 3, 0, true),
    (8, 1, '2023-02-02 08:00:00', '2023-02-02 08:00:00', '王小明', '杭州示例贸易有限公司, 王小明',
     '杭州示例贸易有限公司', NULL, 7, 7, 'contact', false, true, NULL, NULL, 'wang@example.com',
     NULL, '138 0000 1111', '文三路 100 号', '2 幢 301 室', '杭州市', '310012', 1, 48, NULL, NULL,
     0, 0, true),
    (9, 1, '2023-02-02 08:00:00', '2023-02-02 08:00:00', NULL, '杭州示例贸易有限公司, 送货地址',
     '杭州示例贸易有限公司', NULL, 7, 7, 'delivery', false, true, NULL, NULL, NULL, NULL, NULL,
     '仓库路 1 号', NULL, '杭州市', NULL, 1, 48, NULL, NULL, 0, 0, true),
    (10, NULL, '2022-03-01 00:00:00', '2022-06-01 00:00:00', 'Muster Bau GmbH', 'Muster Bau GmbH',
     'Muster Bau GmbH', NULL, NULL, 10, 'contact', true, false, NULL, 'DE136695976',
     'info@example.org', '+49 89 123456', NULL, 'Musterstraße 1', NULL, 'München', '80331', 2, 57,
     2, NULL, 1, 1, true),
    (11, NULL, '2022-03-01 00:00:00', '2022-06-01 00:00:00', 'Only Vendor Ltd', 'Only Vendor Ltd',
     'Only Vendor Ltd', NULL, NULL, 11, 'contact', true, true, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, NULL, 57, NULL, NULL, 0, 4, true),
    (12, NULL, '2022-03-01 00:00:00', '2022-06-01 00:00:00', 'Vera Vendor', 'Only Vendor Ltd, Vera',
     'Only Vendor Ltd', NULL, 11, 11, 'contact', false, true, NULL, NULL, 'vera@example.net', NULL,
     NULL, NULL, NULL, NULL, NULL, NULL, 57, NULL, NULL, 0, 0, true),
    (13, 1, '2023-01-01 08:00:00', '2023-01-01 08:00:00', '李管理', '李管理', NULL, NULL, NULL, 13,
     'contact', false, true, NULL, NULL, 'admin@example.com', NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, NULL, 0, 0, false),
    (14, 1, '2024-01-01 08:00:00', '2024-01-01 08:00:00', 'Ann Sample', 'Ann Sample', NULL,
     'Sample Consulting', NULL, 14, NULL, false, NULL, NULL, NULL, 'ann@example.com', NULL, NULL,
     NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true);
INSERT INTO res_company VALUES (1, '自己有限公司', 1);
INSERT INTO res_users VALUES (2, 'admin', 13, false), (5, 'portal', 8, true);
