//! The HTTP server around the endpoints.

use crate::app::App;
use crate::endpoints::service;
use actix_web::dev::Server;
use actix_web::web::Data;
use actix_web::{App as ActixApp, HttpServer};
use std::io;
use std::net::TcpListener;
use std::time::Duration;

/// Threads per worker that wait for the store. Few: what waits there holds a database connection.
pub const BLOCKING_THREADS: usize = 4;

/// How long requests in flight may take to finish after a signal to stop, in seconds.
const SHUTDOWN_SECONDS: u64 = 10;

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves on a listener until SIGTERM or SIGINT, then lets requests in flight finish.
///
/// # Errors
/// The listener cannot be used.
pub fn serve(app: App, listener: TcpListener, workers: usize) -> io::Result<Server> {
    let app = Data::new(app);
    let server = HttpServer::new(move || ActixApp::new().service(service(app.clone())))
        .workers(workers.max(1))
        .worker_max_blocking_threads(BLOCKING_THREADS)
        .client_request_timeout(HEAD_TIMEOUT)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .listen(listener)?;
    Ok(server.run())
}
