//! A small web server: a client that people are sent back to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;

/// Answers every GET and POST on a loopback address with what `answer` makes of its target: further
/// headers, each line ending in CR LF, and a body. It lives as long as the test process.
pub fn listen(
    host: &str,
    answer: impl Fn(&str) -> (&'static str, String, String) + Send + 'static,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind((host, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let Ok(copy) = stream.try_clone() else { continue };
            let mut lines = BufReader::new(copy).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            // The body of a form is small and arrives with its head; it is not looked at.
            let _head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let (status, headers, body) = answer(first.split(' ').nth(1).unwrap_or_default());
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n{headers}\
                 Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    Ok(address)
}

/// A client that says that the browser arrived.
pub fn client(host: &str) -> std::io::Result<SocketAddr> {
    listen(host, |_| ("200 OK", String::new(), "<title>Arrived</title><p>Arrived".to_owned()))
}
