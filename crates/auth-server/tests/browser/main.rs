//! The pages in a real browser, served by the real program.

mod chromium;
mod pages;
mod pictures;
mod redirects;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each test target uses its own part")]
mod support;
mod visit;
