//! How many redemptions and rotations a second the store takes through its ports, and how many bare SQL
//! takes: `cargo xtask bench store`. `cargo bench --bench store -- sqlite` measures one database alone.
//!
//! The floor is the same statements, prepared, on the same tables with the same settings, and nothing
//! around them. On SQLite it is one thread that commits as many operations together as there are callers
//! of the port: no queue, no threads to wake, no savepoints, nothing to convert. On PostgreSQL it is
//! pgbench with as many clients.

#[path = "../../tests/cluster/mod.rs"]
mod cluster;
mod machine;
mod port;
mod postgres;
mod rows;
mod sqlite;
mod subject;

use postgres::Postgres;
use rows::{Items, Kind};
use sqlite::Sqlite;
use std::time::{Duration, Instant};
use subject::Subject;

/// How much of everything.
struct Scale {
    measuring: bool,
    rounds: usize,
    live_grants: usize,
    /// Threads, and what they do in one round.
    load: [(usize, usize); 3],
}

const FULL: Scale = Scale {
    measuring: true,
    rounds: 5,
    live_grants: 1_000_000,
    load: [(1, 1_000), (16, 5_000), (64, 10_000)],
};

/// For `cargo test`: that it works, not how fast.
const TRIAL: Scale =
    Scale { measuring: false, rounds: 1, live_grants: 1000, load: [(1, 10), (16, 32), (64, 128)] };

/// What was measured, in operations a second.
struct Figures {
    kind: Kind,
    threads: usize,
    port: f64,
    floor: f64,
}

fn main() {
    // cargo bench says so; cargo test does not.
    let scale = if std::env::args().any(|it| it == "--bench") { FULL } else { TRIAL };
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    if scale.measuring {
        machine::describe(directory.path());
    }
    let wanted = |name: &str| {
        let mut named = std::env::args().skip(1).filter(|it| !it.starts_with('-')).peekable();
        named.peek().is_none() || named.any(|it| it.eq_ignore_ascii_case(name))
    };
    if wanted("SQLite") {
        compare(&scale, "SQLite", |live_grants| Sqlite::new(directory.path(), live_grants));
    }
    if wanted("PostgreSQL") && cluster::is_available() {
        let cluster = Postgres::cluster();
        compare(&scale, "PostgreSQL", |live_grants| Postgres::new(&cluster, live_grants));
    }
}

/// Measures a database that is empty, and one with many live grants.
fn compare<S: Subject>(scale: &Scale, name: &str, make: impl Fn(usize) -> S) {
    let empty = measure(scale, &make(0), 0);
    let start = Instant::now();
    let populated = make(scale.live_grants);
    let took = start.elapsed().as_secs_f64();
    if scale.measuring {
        eprintln!("{} live grants, written in {took:.0} s", scale.live_grants);
    }
    let populated = measure(scale, &populated, scale.live_grants);
    if scale.measuring {
        report(name, &empty, &populated);
    }
}

fn measure(scale: &Scale, subject: &impl Subject, live_grants: usize) -> Vec<Figures> {
    let mut figures = Vec::new();
    let (mut fresh, mut live) = (0, 0);
    for (threads, count) in scale.load {
        for kind in [Kind::Redemption, Kind::Rotation] {
            let (mut port, mut floor) = (Vec::new(), Vec::new());
            // Clients redeem what was just approved, and refresh what was approved at any time.
            let mut next = || {
                let (items, used) = match kind {
                    Kind::Rotation if live_grants > 0 => {
                        (Items::live(live_grants, live, count), &mut live)
                    }
                    _ => (Items::fresh(fresh, count), &mut fresh),
                };
                *used += count;
                if items.are_fresh() {
                    subject.prepare(kind, items);
                }
                items
            };
            let rate = |took: Duration| count as f64 / took.as_secs_f64();
            for _ in 0..scale.rounds {
                port.push(rate(port::run(&subject.url(), kind, next(), threads)));
                floor.push(rate(subject.floor(kind, next(), threads)));
            }
            let (port, floor) = (median(port), median(floor));
            if scale.measuring {
                eprintln!("{threads} threads: {} {port:.0}/s, floor {floor:.0}/s", kind.name());
            }
            figures.push(Figures { kind, threads, port, floor });
        }
    }
    figures
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn report(name: &str, empty: &[Figures], populated: &[Figures]) {
    println!(
        "\n| {name} | threads | empty: port | floor | of floor | a million grants: port | floor | of floor | of empty |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (empty, populated) in empty.iter().zip(populated) {
        let percent = |part: f64, whole: f64| format!("{:.0} %", 100.0 * part / whole);
        println!(
            "| {} | {} | {:.0} | {:.0} | {} | {:.0} | {:.0} | {} | {} |",
            empty.kind.name(),
            empty.threads,
            empty.port,
            empty.floor,
            percent(empty.port, empty.floor),
            populated.port,
            populated.floor,
            percent(populated.port, populated.floor),
            percent(populated.port, empty.port),
        );
    }
}
