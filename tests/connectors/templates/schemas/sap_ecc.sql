-- SAP ECC: KNA1 and its addresses, the columns that matter. Unfilled fields hold a blank,
-- as on Oracle and SQL Server, or nothing at all, as on HANA; dates are text.
CREATE TABLE KNA1 (MANDT char(3), KUNNR char(10), LAND1 char(3), NAME1 char(35), NAME2 char(35),
    ORT01 char(35), ORT02 char(35), PSTLZ char(10), REGIO char(3), STRAS char(35), TELF1 char(16),
    TELF2 char(16), ADRNR char(10), KTOKD char(4), ERDAT char(8), LOEVM char(1), SPERR char(1),
    STCD1 char(16), STCD5 char(60), STCEG char(20), STKZN char(1), XCPDK char(1));
CREATE TABLE ADRC (CLIENT char(3), ADDRNUMBER char(10), DATE_FROM char(8), NATION char(1),
    NAME1 char(40), NAME2 char(40), CITY1 char(40), CITY2 char(40), POST_CODE1 char(10),
    STREET char(60), HOUSE_NUM1 char(10), COUNTRY char(3), REGION char(3), TEL_NUMBER char(30));
CREATE TABLE ADR6 (CLIENT char(3), ADDRNUMBER char(10), PERSNUMBER char(10), CONSNUMBER char(3),
    FLGDEFAULT char(1), FLG_NOUSE char(1), SMTP_ADDR char(241));
CREATE TABLE ADR2 (CLIENT char(3), ADDRNUMBER char(10), PERSNUMBER char(10), CONSNUMBER char(3),
    FLGDEFAULT char(1), FLG_NOUSE char(1), R3_USER char(1), TEL_NUMBER char(30));
CREATE TABLE T005U (MANDT char(3), SPRAS char(1), LAND1 char(3), BLAND char(3), BEZEI char(20));
INSERT INTO KNA1 VALUES
    ('100', '0000001001', 'CN', 'Hangzhou Sample Trading Co.,', 'Ltd.', 'Hangzhou', ' ', '310012',
     '130', 'Wen San Rd 100', '0571-87654321', ' ', '0000020001', '0001', '20150304', ' ', ' ',
     ' ', '91330106MA27XU3LXL', ' ', ' ', ' '),
    ('100', 'KUNDE1', 'DE', 'Muster Maschinenbau GmbH', '', 'München', '', '80331', 'BY', 'Musterstr. 5',
     '089 123456', '', '', '0001', '00000000', 'X', '', '', '', 'DE136695976', '', ''),
    ('100', '0000001003', 'US ', 'Sample, Ann', ' ', 'Hartford', ' ', '06101', 'CT', '1 Sample Road',
     '860-555-0100', ' ', ' ', '0002', '20200101', ' ', 'X', ' ', ' ', ' ', 'X', ' '),
    ('100', '0000009999', 'DE', 'One time customers', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ',
     'CPD', '20100101', ' ', ' ', ' ', ' ', ' ', ' ', 'X'),
    ('200', '0000001001', 'CN', 'Test client copy', ' ', 'Hangzhou', ' ', ' ', '130', ' ', ' ', ' ',
     '0000020001', '0001', '20150304', ' ', ' ', ' ', ' ', ' ', ' ', ' ');
INSERT INTO ADRC VALUES
    ('100', '0000020001', '00010101', ' ', 'Hangzhou Sample Trading Co.,', 'Ltd.', 'Hangzhou', ' ',
     '310012', 'Wen San Rd', '100', 'CN', '130', '0571-87654321'),
    ('100', '0000020001', '00010101', 'C', '杭州示例贸易有限公司', ' ', '杭州市', '西湖区', '310012',
     '文三路', '100号', 'CN', '130', ' '),
    ('100', '0000020001', '20250101', ' ', 'Later Name', ' ', 'Shanghai', ' ', '200000', ' ', ' ',
     'CN', '020', ' '),
    ('200', '0000020001', '00010101', ' ', 'Client 200', ' ', 'Hangzhou', ' ', ' ', ' ', ' ', 'CN',
     '130', ' ');
INSERT INTO ADR6 VALUES
    ('100', '0000020001', ' ', '001', ' ', ' ', 'second@example.com'),
    ('100', '0000020001', ' ', '002', 'X', ' ', 'office@example.com'),
    ('100', '0000020001', ' ', '003', ' ', 'X', 'unused@example.com'),
    ('100', '0000020001', '0000000042', '001', 'X', ' ', 'contact@example.com'),
    ('200', '0000020001', ' ', '001', 'X', ' ', 'test@example.org');
INSERT INTO ADR2 VALUES
    ('100', '0000020001', ' ', '001', 'X', ' ', '1', '0571-87654321'),
    ('100', '0000020001', ' ', '002', ' ', ' ', '3', '13800001111');
INSERT INTO T005U VALUES ('100', 'E', 'CN', '130', 'Zhejiang'), ('100', '1', 'CN', '130', '浙江'),
    ('100', 'E', 'US', 'CT', 'Connecticut'), ('100', 'E', 'DE', 'BY', 'Bavaria');
