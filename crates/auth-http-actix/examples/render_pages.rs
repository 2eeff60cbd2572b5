//! Writes every sample of every page, with the stylesheet beside, to look at in a browser:
//! `cargo run -p auth-http-actix --example render_pages -- DIRECTORY [OVERRIDES]`.

use std::{env, error::Error, fs, path::Path};

use auth_http_actix::pages::{ConsentPage, ErrorPage, Home, Page, Pages, SignIn, SignedOut};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let directory = arguments.next().ok_or("which directory to write to?")?;
    let pages = match arguments.next() {
        Some(overrides) => Pages::with_overrides(overrides.as_ref())?,
        None => Pages::embedded()?,
    };
    let directory = Path::new(&directory);
    fs::create_dir_all(directory)?;
    fs::write(directory.join("style.css"), pages.stylesheet())?;
    write::<SignIn>(&pages, directory)?;
    write::<ConsentPage>(&pages, directory)?;
    write::<ErrorPage>(&pages, directory)?;
    write::<SignedOut>(&pages, directory)?;
    write::<Home>(&pages, directory)?;
    Ok(())
}

fn write<P: Page>(pages: &Pages, directory: &Path) -> Result<(), Box<dyn Error>> {
    let name = P::TEMPLATE.trim_end_matches(".html");
    for (number, sample) in (1..).zip(P::samples()) {
        let html = pages.render(&sample)?.replace("/assets/style.css", "style.css");
        fs::write(directory.join(format!("{name}-{number}.html")), html)?;
    }
    Ok(())
}
