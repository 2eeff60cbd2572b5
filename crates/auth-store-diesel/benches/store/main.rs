//! How many redemptions and rotations a second the store takes through its ports, and how many bare SQL
//! takes: `cargo xtask bench store`.
//!
//! The floor is one thread that runs the same statements, prepared, on the same tables with the same
//! settings, and commits as many together as there are callers of the port. It knows in advance what it
//! will do: no queue, no threads to wake, no savepoints, nothing to convert. No store can be faster.

mod floor;
mod port;
mod rows;

use rows::{Item, Kind};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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
    Scale { measuring: false, rounds: 1, live_grants: 100, load: [(1, 10), (16, 32), (64, 128)] };

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
        describe_machine(directory.path());
    }
    let empty = measure(&scale, || Database::new(directory.path(), 0));
    let start = Instant::now();
    let populated = Database::new(directory.path(), scale.live_grants);
    let took = start.elapsed().as_secs_f64();
    if scale.measuring {
        eprintln!("{} live grants, written in {took:.0} s", scale.live_grants);
    }
    let populated = measure(&scale, || populated.clone());
    if scale.measuring {
        report(&empty, &populated);
    }
}

/// A database file; the same one for all who clone it.
#[derive(Clone)]
struct Database {
    path: PathBuf,
}

impl Database {
    fn new(directory: &Path, live_grants: usize) -> Self {
        let path = directory.join(format!("{live_grants}.db"));
        for companion in ["db", "db-wal", "db-shm"] {
            let _ = std::fs::remove_file(path.with_extension(companion));
        }
        let database = Self { path };
        auth_store_diesel::migrate(&database.url()).expect("a database");
        rows::populate(&database.path, live_grants);
        database
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.path.display())
    }
}

fn measure(scale: &Scale, database: impl Fn() -> Database) -> Vec<Figures> {
    let mut figures = Vec::new();
    for (threads, count) in scale.load {
        for kind in [Kind::Redemption, Kind::Rotation] {
            let (mut port, mut floor) = (Vec::new(), Vec::new());
            for _ in 0..scale.rounds {
                let run = |work: &dyn Fn(&Database, &[Item]) -> Duration| {
                    let database = database();
                    let items = rows::prepare(&database.path, kind, count);
                    count as f64 / work(&database, &items).as_secs_f64()
                };
                port.push(run(&|it, items| port::run(&it.url(), kind, items, threads)));
                floor.push(run(&|it, items| floor::run(&it.path, kind, items, threads)));
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

fn report(empty: &[Figures], populated: &[Figures]) {
    println!(
        "| | threads | empty: port | floor | of floor | a million grants: port | floor | of floor | of empty |"
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

/// What the figures depend on.
fn describe_machine(directory: &Path) {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = read("/proc/meminfo");
    let memory = memory.lines().next().and_then(|line| line.split_whitespace().nth(1));
    let memory: u64 = memory.and_then(|kilobytes| kilobytes.parse().ok()).unwrap_or_default();
    println!("processor: {} x {}", cores, model.trim_matches(['\t', ' ', ':']));
    println!("memory: {} GB", memory / 1_000_000);
    println!("kernel: {}", read("/proc/sys/kernel/osrelease").trim());
    println!("load before: {}", read("/proc/loadavg").trim());
    println!("4 kB appended and fdatasync: {:.0}/s", syncs(&directory.join("sync")));
}

/// How often a second the disk says that something is written.
fn syncs(path: &Path) -> f64 {
    let mut file = File::create(path).expect("a file");
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < Duration::from_secs(2) {
        file.write_all(&[0; 4096]).and_then(|()| file.sync_data()).expect("a disk");
        count += 1;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}
