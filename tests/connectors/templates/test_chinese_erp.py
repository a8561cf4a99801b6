"""Yonyou U8, Kingdee K/3 and Kingdee Cloud: their tables, replicated into SQLite."""

import json
import sqlite3
from datetime import UTC, datetime

import pytest


@pytest.fixture
def database(tmp_path, run_sql):
    def make(schema):
        (tmp_path / "erp.db").touch()
        url = f"sqlite:///{tmp_path / 'erp.db'}"
        run_sql(url, schema=schema)
        return url

    return make


def test_zeros_that_lead_a_code_of_u8_tell_customers_apart(database, staged):
    found = staged(template="yonyou_u8", url=database("yonyou_u8"))
    assert {key: row["name"] for key, row in found.items()} == {
        "0000123": "杭州示例贸易有限公司",
        "123": "宁波示例五金厂",
        "张三": "张三",
    }


def test_fields_of_u8_are_read(database, staged):
    row = staged(template="yonyou_u8", url=database("yonyou_u8"))["0000123"]
    assert row["tax_id"] == "91330106MA27XU3LXL" and row["emails"] == ["office@example.com"]
    assert row["phones"] == ["+8613800001111", "+8657187654321", "+8657187654322"]
    assert (row["region"], row["city"], row["district"]) == ("浙江省", "杭州市", "西湖区")
    assert (row["contact_name"], row["legal_representative"]) == ("王小明", "李大华")
    assert json.loads(row["attributes"]) == {
        "class": "经销商",
        "district": "浙江区",
        "note": "大客户",
    }


def test_stop_date_of_u8_closes_a_customer(database, staged):
    found = staged(template="yonyou_u8", url=database("yonyou_u8"))
    assert {key: row["status"] for key, row in found.items()} == {
        "0000123": "active",
        "123": "closed",
        "张三": "active",
    }


def test_customer_of_u8_that_was_never_changed_has_its_creation(database, staged):
    found = staged(template="yonyou_u8", url=database("yonyou_u8"))
    assert found["0000123"]["updated_at"] == datetime(
        2024, 5, 5, 16, tzinfo=UTC
    )  # China's midnight
    assert found["张三"]["updated_at"] == datetime(2020, 2, 2, tzinfo=UTC)
    assert found["123"]["updated_at"] == datetime(2017, 12, 31, 16, tzinfo=UTC)


def test_older_u8_without_newer_columns_and_with_gbk_text_is_read(tmp_path, staged):
    connection = sqlite3.connect(tmp_path / "old.db")
    connection.execute(
        "CREATE TABLE Customer (cCusCode text, cCusName text, cCusAbbName text, cCCCode text,"
        " cCusRegCode text, cCusPerson text, dEndDate text, dCusDevDate text)"
    )
    name = "绍兴示例纺织厂".encode("gb18030")
    connection.execute(
        "INSERT INTO Customer VALUES ('7', CAST(? AS TEXT), '', '01', '', '', NULL, '2009-01-02')",
        (name,),
    )
    connection.commit()
    connection.close()
    found = staged(template="yonyou_u8", url=f"sqlite:///{tmp_path / 'old.db'}")
    assert found["7"]["name"] == "绍兴示例纺织厂" and found["7"]["status"] == "active"


def test_customers_of_k3_are_read_and_groups_and_vendors_are_not(database, staged):
    found = staged(template="kingdee_k3", url=database("kingdee_k3"))
    assert {key: (row["name"], row["status"]) for key, row in found.items()} == {
        "102": ("苏州示例电子有限公司", "active"),
        "103": ("南京示例机械有限公司", "closed"),
        "105": ("刘洋", "active"),
    }


def test_fields_of_k3_are_read_and_own_ones_can_be_mapped(database, staged):
    columns = {"attributes.wechat": "F_102"}
    found = staged(template="kingdee_k3", url=database("kingdee_k3"), columns=columns)
    row = found["102"]
    assert (row["region"], row["city"]) == ("江苏省", "苏州市")
    assert row["tax_id"] == "91320594MA1MX3YU9N"
    assert row["phones"] == ["+8613800001111", "+8651266001234"]
    assert json.loads(row["attributes"]) == {"number": "01.001", "wechat": "微信 sample"}
    assert row["updated_at"] == datetime(2015, 6, 6, 16, tzinfo=UTC)  # FLastModifyDate is null
    assert found["103"]["updated_at"] == datetime(2023, 8, 9, 2, 11, 12, tzinfo=UTC)


def test_customer_of_cloud_is_read_once_for_all_its_organizations(database, staged):
    found = staged(template="kingdee_cloud", url=database("kingdee_cloud"))
    assert set(found) == {"1001", "1003"}
    row = found["1001"]
    assert row["name"] == "杭州示例贸易有限公司" and row["status"] == "active"
    assert any("Hangzhou" in name for name in row["other_names"])
    assert found["1003"]["name"] == "Closed Sample Ltd." and found["1003"]["status"] == "closed"


def test_answer_of_clouds_query_interface_is_read_as_a_file(home, staged):
    (home.data / "BD_Customer.csv").write_text(
        "FCUSTID,FNumber,FName,FTAXREGISTERCODE,FForbidStatus,FModifyDate,FUseOrgId.FNumber\n"
        "1001,CUST0001,杭州示例贸易有限公司,91330106MA27XU3LXL,A,2024-02-03T04:05:06,100\n",
        encoding="utf-8",
    )
    row = staged(template="kingdee_cloud", path="data/BD_Customer.csv")["1001"]
    assert row["tax_id"] == "91330106MA27XU3LXL" and row["status"] == "active"
    assert row["updated_at"] == datetime(2024, 2, 2, 20, 5, 6, tzinfo=UTC)
