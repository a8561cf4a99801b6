"""Dagster's history with one engine: Dagster's own storage reads it, and it reads that one's."""

import threading
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
import yaml

from pipelines import history
from pipelines.history import History
from pipelines.run import instance, write_instance


@dg.op
def one_row(context: dg.OpExecutionContext) -> None:
    context.log.info("read one row")


@dg.job(executor_def=dg.in_process_executor)
def reading() -> None:
    one_row()


def _said(home: Path, run_id: str) -> list[str]:
    with instance(home) as dagster:
        assert dagster.get_run_by_id(run_id).status == dg.DagsterRunStatus.SUCCESS
        return [record.user_message for record in dagster.all_logs(run_id)]


def _run(home: Path) -> str:
    with instance(home) as dagster:
        return reading.execute_in_process(instance=dagster).run_id


def _without_ours(home: Path) -> None:
    """The home's dagster.yaml as an older Onefold wrote it: Dagster's own storage."""
    file = write_instance(home)
    known = yaml.safe_load(file.read_text(encoding="utf-8"))
    del known["storage"]
    file.write_text(yaml.safe_dump(known), encoding="utf-8")


def test_a_home_has_it_and_dagsters_own_storage_reads_what_it_wrote(tmp_path: Path) -> None:
    run = _run(tmp_path)
    with instance(tmp_path) as dagster:
        assert isinstance(dagster.event_log_storage, history._Events)
        assert isinstance(dagster.run_storage, history._Runs)
    said = _said(tmp_path, run)
    assert "read one row" in said
    _without_ours(tmp_path)
    with instance(tmp_path) as dagster:
        assert not isinstance(dagster.event_log_storage, history._Events)
    assert _said(tmp_path, run) == said


def test_a_home_of_an_older_version_goes_on_with_it(tmp_path: Path) -> None:
    _without_ours(tmp_path)
    run = _run(tmp_path)
    said = _said(tmp_path, run)
    (tmp_path / "dagster.yaml").unlink()
    assert _said(tmp_path, run) == said
    assert "read one row" in _said(tmp_path, _run(tmp_path))


def test_homes_and_threads_do_not_get_into_each_others_files(tmp_path: Path) -> None:
    homes = [History.from_local(str(tmp_path / name)) for name in ("a", "b")]
    wrong: list[str] = []

    def look(home: History) -> None:
        for _ in range(50):
            with home.run_storage.connect() as connection:
                (file,) = connection.execute(sa.text("PRAGMA database_list")).all()
                if Path(file[2]) != Path(home.base_dir) / "history" / "runs.db":
                    wrong.append(file[2])

    threads = [threading.Thread(target=look, args=(home,)) for home in homes * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    with homes[0].run_storage.connect(), homes[1].run_storage.connect() as inner:
        assert "/b/" in inner.execute(sa.text("PRAGMA database_list")).one()[2]


def test_what_is_compiled_for_one_file_serves_the_others(tmp_path: Path) -> None:
    known = []
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        _run(tmp_path / name)
        known.append(len(history._ENGINE._compiled_cache or ()))
    assert known[0] > 20
    assert known[2] - known[0] < known[0] / 4


def test_a_file_in_the_place_of_another_is_opened_anew(tmp_path: Path) -> None:
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    for file in (first, second):
        with history._begin(str(file)) as connection:
            connection.execute(sa.text(f"CREATE TABLE of_{file.stem} (x)"))
    history._POOL.forget(tmp_path)
    with history._begin(str(first)) as connection:
        connection.execute(sa.text("SELECT * FROM of_first"))
    second.replace(first)
    with history._begin(str(first)) as connection:
        connection.execute(sa.text("SELECT * FROM of_second"))
    first.unlink()
    with history._begin(str(first)) as connection:
        assert sa.inspect(connection).get_table_names() == []


def test_few_connections_are_kept_and_none_of_an_instance_that_ended(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with instance(home) as dagster:
        assert dagster.get_runs() == []
        assert any(file.startswith(str(home)) for file in history._POOL._kept)
    assert not any(file.startswith(str(home / "history")) for file in history._POOL._kept)
    assert not list((home / "history").rglob("*-wal"))
    for number in range(20):
        with history._begin(str(tmp_path / f"{number}.db")):
            pass
    assert len(history._POOL._kept) == history._POOL._KEPT
