use super::*;
use crate::sqlite::{migrate, pool};
use diesel::connection::{Connection as _, InstrumentationEvent};
use diesel::sql_types::BigInt;
use diesel::{RunQueryDsl as _, sql_query};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

struct Database {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Database {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("auth.db");
        migrate(&path).unwrap();
        Self { path, _directory: directory }
    }

    fn connect(&self) -> Connection {
        pool::connect(&self.path, Duration::from_millis(50)).unwrap()
    }

    /// How many rows the jobs of these tests left.
    fn rows(&self) -> i64 {
        sql_query("SELECT COUNT(*) AS count FROM consents")
            .get_result::<Count>(&mut self.connect())
            .unwrap()
            .count
    }
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn insert(conn: &mut Connection, key: usize) -> Result<(), Failure> {
    let insert = format!("INSERT INTO consents VALUES ('{key}', 'web', '', '', 0)");
    sql_query(insert).execute(conn)?;
    Ok(())
}

type Answer = Receiver<Result<(), StoreError>>;

fn job(
    work: impl FnOnce(&mut Connection) -> Result<(), Failure> + Send + 'static,
) -> (Box<dyn Job>, Answer) {
    let (reply, answer) = sync_channel(1);
    let task = Task { work: Some(work), outcome: None, reply };
    (Box::new(task), answer)
}

/// Lets the writer's loop find all of these jobs waiting, and answers what each was told.
fn run_waiting(conn: Connection, jobs: Vec<(Box<dyn Job>, Answer)>) -> Vec<Result<(), StoreError>> {
    let (sender, receiver) = sync_channel(jobs.len());
    let answers: Vec<_> = jobs
        .into_iter()
        .map(|(job, answer)| {
            assert!(sender.try_send(job).is_ok());
            answer
        })
        .collect();
    drop(sender);
    run(conn, &receiver);
    answers.into_iter().map(|answer| answer.try_recv().expect("every job is answered")).collect()
}

#[test]
fn jobs_that_wait_together_share_a_commit() {
    let database = Database::new();
    let mut conn = database.connect();
    let commits = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&commits);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event
            && query.to_string().starts_with("COMMIT")
        {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    let count = 2 * BATCH + 1;
    let jobs = (0..count).map(|key| job(move |conn| insert(conn, key))).collect();
    let answers = run_waiting(conn, jobs);
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(commits.load(Ordering::Relaxed), 3);
    assert_eq!(database.rows(), i64::try_from(count).unwrap());
}

#[test]
fn a_job_that_fails_or_panics_is_rolled_back_and_harms_no_neighbour() {
    let database = Database::new();
    let jobs = (0..30).map(|key| {
        job(move |conn| {
            insert(conn, key)?;
            match key % 3 {
                0 => Ok(()),
                1 => insert(conn, key),
                _ => panic!("a job's own fault"),
            }
        })
    });
    let answers = run_waiting(database.connect(), jobs.collect());
    for (key, answer) in answers.iter().enumerate() {
        assert_eq!(answer.is_ok(), key % 3 == 0, "job {key}: {answer:?}");
    }
    assert_eq!(database.rows(), 10);
}

#[test]
fn a_commit_that_fails_is_told_to_every_job_that_it_carried_and_to_no_later_one() {
    let database = Database::new();
    let writer = Writer::start(database.connect(), 8).unwrap();
    let (entered, inside) = channel();
    let (release, released) = channel::<()>();
    let (first, first_answer) = job(move |conn| {
        entered.send(()).unwrap();
        released.recv().unwrap();
        insert(conn, 1)
    });
    // A broken reference that is only looked at when the transaction ends.
    let (breaks_the_commit, second_answer) = job(|conn| {
        conn.batch_execute(
            "PRAGMA defer_foreign_keys = ON;
             INSERT INTO client_secrets VALUES ('nobody', 'id', 0, x'00', 0)",
        )?;
        Ok(())
    });
    let queue = writer.queue.as_ref().unwrap();
    assert!(queue.try_send(first).is_ok());
    inside.recv().unwrap();
    assert!(queue.try_send(breaks_the_commit).is_ok());
    release.send(()).unwrap();
    for answer in [first_answer, second_answer] {
        let answer = answer.recv().unwrap();
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    }
    assert_eq!(database.rows(), 0);
    writer.write(|conn| insert(conn, 3)).unwrap();
    assert_eq!(database.rows(), 1);
}

/// SQLite may give up a whole transaction when a statement meets a full disk.
#[test]
fn a_transaction_that_the_database_threw_away_is_not_taken_for_written() {
    let database = Database::new();
    let gives_up = |conn: &mut Connection| {
        conn.batch_execute("ROLLBACK")?;
        Err(StoreError::Unavailable("disk full".into()).into())
    };
    let jobs = vec![job(|conn| insert(conn, 1)), job(gives_up), job(|conn| insert(conn, 2))];
    let answers = run_waiting(database.connect(), jobs);
    let written: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(written, [false, false, true], "{answers:?}");
    assert_eq!(database.rows(), 1, "the job that came after it");
}

#[test]
fn a_full_queue_is_told_at_once() {
    let database = Database::new();
    let writer = Writer::start(database.connect(), 2).unwrap();
    let (entered, inside) = channel();
    let (release, released) = channel::<()>();
    let (held, held_answer) = job(move |_| {
        entered.send(()).unwrap();
        released.recv().unwrap();
        Ok(())
    });
    let queue = writer.queue.as_ref().unwrap();
    assert!(queue.try_send(held).is_ok());
    inside.recv().unwrap();
    let (waiting, answers): (Vec<_>, Vec<_>) =
        (0..2).map(|key| job(move |conn| insert(conn, key))).unzip();
    for job in waiting {
        assert!(queue.try_send(job).is_ok());
    }
    let refused = writer.write(|conn| insert(conn, 9));
    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.starts_with("busy")));
    release.send(()).unwrap();
    assert_eq!(held_answer.recv().unwrap(), Ok(()));
    for answer in answers {
        assert_eq!(answer.recv().unwrap(), Ok(()));
    }
    assert_eq!(database.rows(), 2);
}

#[test]
fn a_database_that_another_process_holds_is_unavailable_until_it_lets_go() {
    let database = Database::new();
    let mut other = database.connect();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let jobs = (0..BATCH + 9).map(|key| job(move |conn| insert(conn, key)));
    let answers = run_waiting(database.connect(), jobs.collect());
    let unavailable = |answer: &_| matches!(answer, Err(StoreError::Unavailable(_)));
    assert!(answers.iter().all(unavailable), "{answers:?}");
    other.batch_execute("COMMIT").unwrap();
    let answers = run_waiting(database.connect(), vec![job(|conn| insert(conn, 1))]);
    assert_eq!(answers, [Ok(())]);
    assert_eq!(database.rows(), 1);
}

#[test]
fn dropping_the_writer_finishes_what_waits_and_empties_the_log() {
    let database = Database::new();
    let writer = Writer::start(database.connect(), 64).unwrap();
    // Another connection keeps the log from being removed, so that its size can be seen.
    let _other = database.connect();
    let queue = writer.queue.as_ref().unwrap();
    for key in 0..50 {
        assert!(queue.try_send(job(move |conn| insert(conn, key)).0).is_ok());
    }
    drop(writer);
    assert_eq!(database.rows(), 50);
    let log = database.path.with_extension("db-wal");
    assert_eq!(std::fs::metadata(log).unwrap().len(), 0);
}

/// A full disk, as a limit on the pages of the file.
#[test]
fn a_full_disk_refuses_what_does_not_fit_and_spoils_nothing() {
    let database = Database::new();
    let mut conn = database.connect();
    conn.batch_execute("PRAGMA max_page_count = 60").unwrap();
    let writer = Writer::start(conn, 8).unwrap();
    let fill = |key: usize| {
        writer.write(move |conn| {
            let row = format!(
                "INSERT INTO consents VALUES ('{key}', 'web', printf('%08000d', 0), '', 0)"
            );
            sql_query(row).execute(conn)?;
            Ok(())
        })
    };
    let stored = (0..).take_while(|key| fill(*key).is_ok()).count();
    assert!((1..60).contains(&stored), "{stored}");
    let refused = fill(stored);
    assert!(
        matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("full")),
        "{refused:?}"
    );
    assert_eq!(database.rows(), i64::try_from(stored).unwrap());
    writer
        .write(|conn| Ok(conn.batch_execute("DELETE FROM consents WHERE subject = '0'")?))
        .unwrap();
    assert_eq!(fill(stored), Ok(()), "space came back");
    let broken = sql_query(
        "SELECT COUNT(*) AS count FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    );
    let broken = broken.get_result::<Count>(&mut database.connect());
    assert_eq!(broken.unwrap().count, 0);
}
