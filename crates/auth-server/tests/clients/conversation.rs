//! A program that runs beside the test and talks to it in lines.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// No step of a program takes longer, however loaded the machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a program to its good end and answers the JSON objects that it printed, one a line. For an
/// address that it prints on a line of its own it is told what `browse` answers.
#[track_caller]
pub(crate) fn run(command: &mut Command, browse: impl Fn(&str) -> String) -> Vec<Value> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut program = Running(command.spawn().expect("the program starts"));
    let (sender, lines) = channel();
    read(program.0.stdout.take().expect("a pipe"), sender.clone());
    read(program.0.stderr.take().expect("a pipe"), sender);
    let mut said = String::new();
    let mut objects = Vec::new();
    loop {
        let line = match lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => panic!("the program hangs:\n{said}"),
        };
        said += &format!("{line}\n");
        if line.starts_with("http://") {
            let answer = browse(&line);
            let stdin = program.0.stdin.as_mut().expect("a pipe");
            // Not every program listens.
            let _ = writeln!(stdin, "{answer}").and_then(|()| stdin.flush());
        } else if line.starts_with('{') {
            objects.push(serde_json::from_str(&line).unwrap_or_else(|it| panic!("{it}: {line}")));
        }
    }
    let status = program.0.wait().expect("a child");
    assert!(status.success(), "{status}:\n{said}");
    objects
}

fn read(stream: impl Read + Send + 'static, sender: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                break;
            }
        }
    });
}

/// A child that does not outlive the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
