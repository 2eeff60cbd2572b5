//! HTTP/1.1 over plain sockets, no more of it than the tests need.

use std::io::{Error, ErrorKind, Read as _, Result, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No answer takes longer, unless the server is stuck.
const TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    head: String,
}

impl Answer {
    pub fn header(&self, name: &'static str) -> Option<&str> {
        self.headers(name).next()
    }

    pub fn headers(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.head.lines().filter_map(move |line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// A parameter of the query of `Location`; the values here need no decoding.
    pub fn location_param(&self, name: &str) -> Option<String> {
        let (_, query) = self.header("location")?.split_once('?')?;
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    }

    /// The value of a hidden field of the page.
    pub fn field(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\" value=\""))?;
        rest.split('"').next()
    }
}

/// A connection that is kept from one request to the next, and opened when it is needed.
pub struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

impl Connection {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, stream: None }
    }

    /// Sends a request and reads the whole answer. After an error nobody knows whether the request
    /// was carried out.
    pub fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer> {
        self.write(method, target, headers, body)?;
        self.read()
    }

    /// The first half of [`send`](Self::send).
    pub fn write(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<()> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(TIMEOUT))?;
                stream
            }
        };
        let mut text = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        if method == "POST" {
            text += &format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                body.len()
            );
        }
        text += "\r\n";
        text += body;
        stream.write_all(text.as_bytes())?;
        self.stream = Some(stream);
        Ok(())
    }

    /// The second half.
    pub fn read(&mut self) -> Result<Answer> {
        let mut stream = self.stream.take().ok_or(ErrorKind::NotConnected)?;
        let mut bytes = Vec::new();
        let mut chunk = [0; 8192];
        let (head_end, length) = loop {
            if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                let answer = Answer { status: 0, body: String::new(), head };
                let length = answer.header("content-length").map_or(Ok(0), str::parse);
                break (end, length.map_err(Error::other)?);
            }
            match stream.read(&mut chunk)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => bytes.extend(&chunk[..count]),
            }
        };
        let start = head_end + 4;
        while bytes.len() < start + length {
            match stream.read(&mut chunk)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => bytes.extend(&chunk[..count]),
            }
        }
        let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let answer = Answer {
            status: status.ok_or(ErrorKind::InvalidData)?,
            body: String::from_utf8_lossy(&bytes[start..]).into_owned(),
            head,
        };
        if answer.header("connection") != Some("close") {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}
