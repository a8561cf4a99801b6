-- SAP S/4HANA: business partners, the columns that matter; unfilled fields are empty text.
CREATE TABLE BUT000 (CLIENT char(3), PARTNER char(10), TYPE char(1), BU_GROUP char(4),
    NAME_ORG1 char(40), NAME_ORG2 char(40), NAME_ORG3 char(40), NAME_ORG4 char(40),
    NAME_LAST char(40), NAME_FIRST char(40), PERSNUMBER char(10), BIRTHDT char(8), XDELE char(1), XBLCK char(1),
    CRDAT char(8), CRTIM char(6), CHDAT char(8), CHTIM char(6));
CREATE TABLE BUT020 (CLIENT char(3), PARTNER char(10), ADDRNUMBER char(10), XDFADR char(1));
CREATE TABLE BUT100 (MANDT char(3), PARTNER char(10), RLTYP char(6));
CREATE TABLE ADRC (CLIENT char(3), ADDRNUMBER char(10), DATE_FROM char(8), NATION char(1),
    CITY1 char(40), CITY2 char(40), POST_CODE1 char(10), STREET char(60), HOUSE_NUM1 char(10),
    COUNTRY char(3), REGION char(3), TEL_NUMBER char(30));
CREATE TABLE ADR6 (CLIENT char(3), ADDRNUMBER char(10), PERSNUMBER char(10), CONSNUMBER char(3),
    FLGDEFAULT char(1), FLG_NOUSE char(1), SMTP_ADDR char(241));
CREATE TABLE ADR2 (CLIENT char(3), ADDRNUMBER char(10), PERSNUMBER char(10), CONSNUMBER char(3),
    FLGDEFAULT char(1), FLG_NOUSE char(1), R3_USER char(1), TEL_NUMBER char(30));
CREATE TABLE DFKKBPTAXNUM (CLIENT char(3), PARTNER char(10), TAXTYPE char(4), TAXNUM char(20),
    TAXNUMXL char(60));
CREATE TABLE BUT0ID (CLIENT char(3), PARTNER char(10), TYPE char(6), IDNUMBER char(60));
INSERT INTO BUT000 VALUES
    ('100', '0010000001', '2', 'BP01', '示例电子科技（苏州）有限公司', '', '', '', '', '', '', '00000000',
     '', '', '20210405', '060708', '20240102', '030405'),
    ('100', '0010000002', '1', 'BP02', '', '', '', '', '李', '小红', '77', '19900307', '', 'X',
     '20210405', '060708', '00000000', '000000'),
    ('100', '0010000003', '3', 'BP03', '', '', '', '', '', '', '', '', '', '', '20210405', '', '', ''),
    ('100', '0010000004', '2', 'BP01', 'Sample Vendor Ltd', '', '', '', '', '', '', '', '', '',
     '20210405', '', '', ''),
    ('100', 'ABC', '2', 'BP01', 'Old Sample', 'GmbH', '', '', '', '', '', '', 'X', '', '20110405',
     '000000', '20200102', '000000');
INSERT INTO BUT100 VALUES ('100', '0010000001', 'FLCU01'), ('100', '0010000001', 'FLVN00'),
    ('100', '0010000002', 'FLCU00'), ('100', '0010000003', 'FLCU00'),
    ('100', '0010000004', 'FLVN00'), ('100', 'ABC', 'FLCU01');
INSERT INTO BUT020 VALUES ('100', '0010000001', '11', ''), ('100', '0010000001', '12', 'X'),
    ('100', '0010000002', '13', '');
INSERT INTO ADRC VALUES
    ('100', '11', '00010101', '', '旧市', '', '', '旧路', '1', 'CN', '100', ''),
    ('100', '12', '00010101', '', '苏州市', '吴中区', '215000', '星湖街', '328号', 'CN', '100', '0512-66001234'),
    ('100', '13', '00010101', '', '上海市', '浦东新区', '200120', '世纪大道', '8号', 'CN', '020', '');
INSERT INTO ADR6 VALUES ('100', '12', '', '001', 'X', '', 'info@example.com'),
    ('100', '12', '88', '001', 'X', '', 'contact@example.com'),
    ('100', '13', '77', '001', 'X', '', 'li@example.com');
INSERT INTO ADR2 VALUES ('100', '13', '77', '001', 'X', '', '3', '13900002222'),
    ('100', '12', '88', '001', 'X', '', '3', '13700003333');
INSERT INTO DFKKBPTAXNUM VALUES ('100', '0010000001', 'CN5', '', '91320594MA1MX3YU9N'),
    ('100', '0010000001', 'CN6', 'X1', '');
INSERT INTO BUT0ID VALUES ('100', '0010000002', 'FS0001', '110101199003070011');
