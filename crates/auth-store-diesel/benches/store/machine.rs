//! What the figures depend on.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Prints it.
pub fn describe(directory: &Path) {
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
    println!("SQLite {}, {}", rusqlite::version(), postgres_version());
}

fn postgres_version() -> String {
    let output = std::process::Command::new("psql").arg("--version").output();
    output.map_or_else(
        |_| "no PostgreSQL".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
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
