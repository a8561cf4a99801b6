"""From a declared source to its snapshot: what is read again, and what is said."""

import os

import pytest

from connectors import source
from onefold.errors import SourceHeld, SourceLayout, SourceLocked, SourceMissing


def _config(home, **settings):
    return home.config(
        **{"connector": "delimited", "path": "data/*.csv", "headings": "auto", **settings}
    )


@pytest.fixture
def people(home):
    path = home.data / "a.csv"
    path.write_text("Id,Name,Phone\n1,Ann Sample,555-0100\n2,Bob Beispiel,555-0101\n")
    return path


def test_unchanged_files_are_not_even_parsed(home, people):
    config = _config(home)
    manifest, _ = home.sync(config)
    before = home.lake_files()
    os.utime(people, (1, 1))
    done = source.extract(config, home.lake, manifest)
    assert (done.status, done.manifest) == ("unchanged", manifest)
    assert home.lake_files() == before


def test_same_rows_in_another_file_are_the_same_content_at_new_positions(home, people):
    manifest, rows = home.sync(_config(home))
    (home.data / "b.csv").write_text(
        "Name;Id;Phone\nBob Beispiel;2;555-0101\nAnn Sample;1;555-0100"
    )
    people.unlink()
    again, moved = home.sync(_config(home), manifest)
    assert again.content_hash == manifest.content_hash
    assert {row["Id"]: row["_position"] for row in moved} == {"2": "b.csv|2", "1": "b.csv|3"}
    assert {row["_source_key"] for row in moved} == {row["_source_key"] for row in rows}


def test_file_saved_in_another_way_writes_nothing(home, people):
    manifest, _ = home.sync(_config(home))
    before = home.lake_files()
    people.write_text(people.read_text().rstrip("\n") + "\n\n")
    assert source.extract(_config(home), home.lake, manifest).status == "unchanged"
    assert home.lake_files() == before


def test_other_key_reads_unchanged_files_again(home, people):
    manifest, _ = home.sync(_config(home))
    done = source.extract(_config(home, key="Id"), home.lake, manifest)
    assert done.status == "changed"
    assert done.manifest.key_basis == "columns"


def test_one_changed_row_is_a_change(home, people):
    manifest, _ = home.sync(_config(home, key="Id"))
    people.write_text(people.read_text().replace("555-0101", "555-0102"))
    done, rows = home.sync(_config(home, key="Id"), manifest)
    assert done.sync_id != manifest.sync_id
    assert [row["Phone"] for row in rows] == ["555-0100", "555-0102"]
    assert done.files[0].sha256 != manifest.files[0].sha256


def test_check_says_what_is_mapped(home, people):
    said = source.check(_config(home, key="Id"))
    assert said == "a.csv (utf-8) can be read; 3 columns, mapped: name, phone"


def test_check_names_a_missing_column(home, people):
    config = _config(home, headings="none", columns={"name": "Name", "email": "Mail"})
    with pytest.raises(
        SourceLayout,
        match=r'no column "Mail" \(found "Id", "Name", "Phone"\)\. Mend it in '
        r"sources/customers\.yml, columns\.email\.",
    ):
        source.check(config)


def test_missing_folder_is_named(home):
    with pytest.raises(SourceMissing, match="the folder is not there"):
        home.sync(_config(home, path="nowhere/*.csv"))


def test_glob_that_finds_nothing_names_what_is_there(home, people):
    with pytest.raises(SourceMissing, match=r"no file fits .found a\.csv in"):
        home.sync(_config(home, path="data/*.txt"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_that_may_not_be_read_is_locked(home, people):
    people.chmod(0)
    with pytest.raises(SourceLocked, match="may not be read"):
        home.sync(_config(home))


def test_file_that_changes_while_it_is_read_is_not_taken(home, people):
    from connectors import delimited, snapshot

    config = _config(home)
    with delimited.read(config) as reading:
        rows = reading.rows

        def slowly():
            yield next(rows)
            people.write_text("Id,Name,Phone\n")
            yield from rows

        reading.rows = slowly()
        with pytest.raises(SourceLocked, match="changed while it was read"):
            snapshot.write(reading, config, home.lake, None, key=(), settings_hash="")
    assert home.lake_files() == {}


def test_files_are_watched_by_size_and_time(home, people):
    config = _config(home)
    (path, size, changed), *others = source.files(config)
    assert (path, size, others) == (str(people), people.stat().st_size, [])
    os.utime(people, ns=(changed + 1, changed + 1))
    assert source.files(config) != [(path, size, changed)]
    assert config.files() == [people]
    people.unlink()
    assert source.files(config) == []


def test_missing_column_keeps_the_last_good_snapshot(home, people):
    config = _config(home, headings="none", columns={"name": "Name", "phone": "Phone"})
    manifest, _ = home.sync(config)
    before = home.lake_files()
    people.write_text("Id,Name,Tel\n1,Ann Sample,555-0100\n")
    with pytest.raises(SourceHeld, match=r'"Phone" \(columns.phone\), renamed "Tel"\?'):
        home.sync(config, manifest)
    assert home.lake_files() == before
