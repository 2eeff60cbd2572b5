//! Chromium without a window, driven over its own protocol.
//!
//! The protocol's messages go through two pipes, each ended by a NUL byte; no driver program and no
//! network port is needed. <https://chromedevtools.github.io/devtools-protocol/>

use crate::support::programs::require;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Nothing takes longer, however loaded the machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The names under which Chromium is installed.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

const FLAGS: [&str; 15] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-proxy-server",
    "--hide-scrollbars",
    "--ignore-certificate-errors",
    // A name for a client that is on the web; it ends here.
    "--host-resolver-rules=MAP rp.test 127.0.0.1",
];

/// A browser with one tab.
pub struct Chromium {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    last_id: u64,
    tab: String,
    /// Everything that the browser told without being asked.
    events: Vec<Value>,
    _profile: TempDir,
}

impl Chromium {
    /// Starts a browser that was never anywhere; none if there is no Chromium here.
    pub fn start() -> Option<Self> {
        let found = |name: &&&str| {
            let mut command = Command::new(name);
            command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        let program = NAMES.iter().find(found).unwrap_or(&NAMES[0]);
        if !require(&[program, "--version"], "the pages in a real browser") {
            return None;
        }
        let profile = tempfile::tempdir().expect("a directory");
        // Chromium reads its orders from descriptor 3 and answers on 4.
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", program]);
        command.args(FLAGS).args(["--remote-debugging-pipe", "about:blank"]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        // Debian's launcher looks for settings in the home directory.
        command.env("HOME", profile.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sh");
        let to = child.stdin.take().expect("a pipe");
        let stdout = child.stdout.take().expect("a pipe");
        let (sender, from) = channel();
        thread::spawn(move || {
            for message in BufReader::new(stdout).split(0).map_while(Result::ok) {
                let value = serde_json::from_slice(&message).expect("JSON");
                if sender.send(value).is_err() {
                    break;
                }
            }
        });
        let (last_id, tab, events) = (0, String::new(), Vec::new());
        let mut browser = Self { child, to, from, last_id, tab, events, _profile: profile };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", attach);
        browser.tab = session["sessionId"].as_str().expect("a session").to_owned();
        for domain in ["Page", "Network", "Log", "Runtime", "Audits"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// Gives an order and waits for its result.
    // By value: parameters are written in place.
    #[allow(clippy::needless_pass_by_value)]
    #[track_caller]
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        let result = self.try_call(method, &params);
        result.unwrap_or_else(|error| panic!("{method} {params}: {error}"))
    }

    fn try_call(&mut self, method: &str, params: &Value) -> Result<Value, Value> {
        self.last_id += 1;
        let mut order = json!({ "id": self.last_id, "method": method, "params": params });
        if !self.tab.is_empty() {
            order["sessionId"] = json!(self.tab);
        }
        self.to.write_all(format!("{order}\0").as_bytes()).expect("Chromium listens");
        let mut answer = self.read_until(method, |id, message| message["id"] == id);
        let error = answer["error"].take();
        if error.is_null() { Ok(answer["result"].take()) } else { Err(error) }
    }

    /// Waits until the browser tells something of this name, from now on.
    pub fn await_event(&mut self, name: &str) {
        self.read_until(name, |_, message| message["method"] == name);
    }

    fn read_until(&mut self, what: &str, is_it: impl Fn(u64, &Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let message = match self.from.recv_timeout(PATIENCE.saturating_sub(start.elapsed())) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => panic!("{what}: no answer"),
                Err(RecvTimeoutError::Disconnected) => panic!("{what}: Chromium has ended"),
            };
            let found = is_it(self.last_id, &message);
            if message["id"].is_null() {
                self.events.push(message.clone());
            }
            if found {
                return message;
            }
        }
    }

    /// The result of an expression in the page; none while the page is being replaced.
    pub fn evaluate(&mut self, expression: &str) -> Option<Value> {
        let params = json!({ "expression": expression, "returnByValue": true });
        let mut done = self.try_call("Runtime.evaluate", &params).ok()?;
        let failed = &done["exceptionDetails"];
        assert!(failed.is_null(), "{expression}: {failed}");
        Some(done["result"]["value"].take())
    }

    /// Waits until the condition holds.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut condition: impl FnMut(&mut Self) -> bool) {
        let start = Instant::now();
        loop {
            // What the browser told in the meantime.
            self.events.extend(self.from.try_iter());
            if condition(self) {
                return;
            }
            if start.elapsed() > PATIENCE {
                panic!("never {what}; it is at {}:\n{}", self.location(), self.text());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Opens an address as if it had been typed.
    #[track_caller]
    pub fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": url }));
        self.until("loaded", Self::is_loaded);
    }

    /// Waits until a page whose address begins like this is there as a whole.
    #[track_caller]
    pub fn arrive(&mut self, prefix: &str) {
        let is_there = |it: &mut Self| it.location().starts_with(prefix) && it.is_loaded();
        self.until(&format!("at {prefix}"), is_there);
    }

    fn is_loaded(&mut self) -> bool {
        self.evaluate("document.readyState").is_some_and(|state| state == "complete")
    }

    /// The address of the page.
    pub fn location(&mut self) -> String {
        self.string("location.href")
    }

    /// What a person can read on the page.
    pub fn text(&mut self) -> String {
        self.string("document.body ? document.body.innerText : ''")
    }

    fn string(&mut self, expression: &str) -> String {
        let value = self.evaluate(expression).unwrap_or_default();
        value.as_str().unwrap_or_default().to_owned()
    }

    /// Clicks in the middle of the first element of this selector, once the page is there as a whole: until
    /// then it may scroll.
    #[track_caller]
    pub fn click(&mut self, selector: &str) {
        let script = format!(
            "(() => {{ const it = document.querySelector({selector:?}); \
             if (!it || document.readyState !== 'complete') return null; \
             it.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
             const box = it.getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        );
        let mut place = Value::Null;
        self.until(&format!("an element {selector}"), |it| {
            place = it.evaluate(&script).unwrap_or_default();
            place.is_array()
        });
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1
            });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Clicks into a field and replaces what is in it.
    #[track_caller]
    pub fn fill(&mut self, selector: &str, text: &str) {
        self.click(selector);
        self.evaluate(&format!("document.querySelector({selector:?}).select()"));
        self.insert(text);
    }

    /// Types into what has the focus.
    pub fn insert(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Presses Tab or Enter.
    pub fn press(&mut self, key: &str) {
        let (code, text) = if key == "Enter" { (13, "\r") } else { (9, "") };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code,
                "text": if kind == "keyDown" { text } else { "" }
            });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Goes back in history to the latest page whose address begins like this, as the Back button does.
    #[track_caller]
    pub fn back(&mut self, prefix: &str) {
        let history = self.call("Page.getNavigationHistory", json!({}));
        let entries = history["entries"].as_array().expect("entries");
        let current = history["currentIndex"].as_u64().expect("an index") as usize;
        let earlier = entries[..current].iter().rev();
        let starts =
            |entry: &&Value| entry["url"].as_str().is_some_and(|it| it.starts_with(prefix));
        let entry = earlier.clone().find(starts);
        let entry = entry.unwrap_or_else(|| panic!("no {prefix} in {history}"))["id"].clone();
        self.call("Page.navigateToHistoryEntry", json!({ "entryId": entry }));
        self.until("back", |it| {
            // There is no answer while the page is being replaced.
            let now = it.try_call("Page.getNavigationHistory", &json!({})).unwrap_or_default();
            let index = now["currentIndex"].as_u64().unwrap_or_default() as usize;
            now["entries"][index]["id"] == entry && it.is_loaded()
        });
    }

    /// Forgets what was asked for and complained about so far.
    pub fn forget(&mut self) {
        self.events.clear();
    }

    /// The parameters of every event of this name so far.
    pub fn events(&self, name: &str) -> Vec<&Value> {
        let named = self.events.iter().filter(|event| event["method"] == name);
        named.map(|event| &event["params"]).collect()
    }

    /// Every address that was asked for so far, also after a redirect.
    pub fn requested(&self) -> Vec<String> {
        let sent = self.events("Network.requestWillBeSent");
        let url = |event: &&Value| event["request"]["url"].as_str().map(str::to_owned);
        sent.iter().filter_map(url).collect()
    }

    /// What the console and the issues panel complain about: violations of the policy, and errors.
    pub fn complaints(&self) -> Vec<String> {
        let mut found = self.events("Runtime.exceptionThrown");
        found.extend(
            self.events("Log.entryAdded").iter().filter(|it| it["entry"]["level"] == "error"),
        );
        let is_policy = |it: &&&Value| it["issue"]["code"] == "ContentSecurityPolicyIssue";
        found.extend(self.events("Audits.issueAdded").iter().filter(is_policy));
        found.iter().map(ToString::to_string).collect()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Asked, it ends with all its processes, and the profile can go.
        let _ = self.to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
