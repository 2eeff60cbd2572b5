//! The pages a person sees, as strings: typed contexts in, HTML out. Nothing here knows HTTP.
//!
//! Templates are embedded in the program; a directory of files of the same names replaces them one by one
//! ([`Pages::with_overrides`]). Everything from outside is escaped by the engine because every template's name ends in `.html`
//! (UI-09), and made fit to be seen by [`visible_text`] when the context is serialized (UI-11).

mod contexts;
mod visible;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;
use tera::{Context, Kwargs, State, Tera};

pub use self::{
    contexts::{
        ClientIdentity, ConsentPage, Destination, ErrorPage, Home, HomeAccount, ResourceInWords,
        ScopeInWords, SignIn, SignInProblem, SignedOut,
    },
    visible::visible_text,
};

/// The stylesheet's file name among the overrides. Pages link it as `/assets/style.css`.
const STYLESHEET: &str = "style.css";

macro_rules! embedded {
    ($($name:literal),+) => { [$(($name, include_str!(concat!("../../../../templates/", $name)))),+] };
}

const TEMPLATES: [(&str, &str); 6] = embedded![
    "base.html",
    "sign_in.html",
    "consent.html",
    "error.html",
    "signed_out.html",
    "home.html"
];

/// What one page is told.
pub trait Page: Serialize + Sized {
    /// The file name of its template.
    const TEMPLATE: &'static str;

    /// Contexts that together reach every part of the template. All are rendered at start, so that a template that cannot show one
    /// of them stops the program there instead of failing before a person.
    fn samples() -> Vec<Self>;
}

/// All pages and their stylesheet, ready to be shown.
#[derive(Clone)]
pub struct Pages {
    tera: Tera,
    stylesheet: String,
    base: String,
}

/// Why a page cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// An override exists and cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An override has a name that no template has: most likely misspelt, and without effect.
    #[error("{path} replaces no page; templates are {known}", path = path.display())]
    UnknownTemplate {
        /// The file.
        path: PathBuf,
        /// The names there are.
        known: String,
    },
    /// A template is not well formed; the message names it.
    #[error("a page's template is wrong: {0}")]
    Syntax(tera::Error),
    /// A template asks for something that its page is not told; or a context holds a link that leads off this server.
    #[error("{template} cannot be rendered: {source}")]
    Render {
        /// The page's template.
        template: &'static str,
        /// What the engine said, with line and column.
        source: tera::Error,
    },
}

impl Pages {
    /// The pages that come with the program.
    ///
    /// # Errors
    /// None in a program that passed its tests: the embedded templates are the ones tested.
    pub fn embedded() -> Result<Self, PageError> {
        Self::load(|_| Ok(None))
    }

    /// The pages that come with the program, except those of which `dir` has a file of the same name (`consent.html`, `base.html`,
    /// `style.css`, …).
    ///
    /// # Errors
    /// [`PageError`], when `dir` or a file cannot be read, a template in it has an unknown name, or one cannot be rendered.
    pub fn with_overrides(dir: &Path) -> Result<Self, PageError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| PageError::Unreadable { path, source }
        };
        for entry in fs::read_dir(dir).map_err(unreadable(dir))? {
            let path = entry.map_err(unreadable(dir))?.path();
            // The demo application keeps its pages in the same directory; a copy of the whole directory is welcome.
            let known = path.file_name().is_some_and(|file| {
                file.as_encoded_bytes().starts_with(b"demo_")
                    || TEMPLATES.iter().any(|(name, _)| file == *name)
            });
            if !known && path.extension().is_some_and(|extension| extension == "html") {
                return Err(PageError::UnknownTemplate {
                    path,
                    known: TEMPLATES.map(|(name, _)| name).join(", "),
                });
            }
        }
        Self::load(|name| {
            let path = dir.join(name);
            match fs::read_to_string(&path) {
                Ok(text) => Ok(Some(text)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(source) => Err(PageError::Unreadable { path, source }),
            }
        })
    }

    fn load(
        replacement: impl Fn(&str) -> Result<Option<String>, PageError>,
    ) -> Result<Self, PageError> {
        let mut tera = Tera::new();
        tera.autoescape_on(vec![".html"]);
        tera.register_test("mixing_alphabets", |text: &str, _: Kwargs, _: &State<'_>| {
            visible::mixes_alphabets(text)
        });

        let mut templates = Vec::with_capacity(TEMPLATES.len());
        for (name, embedded) in TEMPLATES {
            templates.push((name, replacement(name)?.unwrap_or_else(|| embedded.to_owned())));
        }
        tera.add_raw_templates(templates).map_err(PageError::Syntax)?;
        let stylesheet = replacement(STYLESHEET)?
            .unwrap_or_else(|| include_str!("../../../../templates/style.css").to_owned());

        let pages = Self { tera, stylesheet, base: String::new() };
        pages.try_samples::<SignIn>()?;
        pages.try_samples::<ConsentPage>()?;
        pages.try_samples::<ErrorPage>()?;
        pages.try_samples::<SignedOut>()?;
        pages.try_samples::<Home>()?;
        Ok(pages)
    }

    /// The same pages on a server whose paths all begin with `base`, such as `/t/one`.
    pub(crate) fn under(mut self, base: &str) -> Self {
        base.clone_into(&mut self.base);
        self
    }

    fn try_samples<P: Page>(&self) -> Result<(), PageError> {
        P::samples().iter().try_for_each(|sample| self.render(sample).map(drop))
    }

    /// The page as HTML.
    ///
    /// # Errors
    /// [`PageError::Render`], when a context holds a link that is no path on this server.
    pub fn render<P: Page>(&self, page: &P) -> Result<String, PageError> {
        Context::from_serialize(page)
            .and_then(|mut context| {
                context.insert("base", &self.base);
                self.tera.render(P::TEMPLATE, &context)
            })
            .map_err(|source| PageError::Render { template: P::TEMPLATE, source })
    }

    /// The stylesheet, to be served at `/assets/style.css`.
    pub fn stylesheet(&self) -> &str {
        &self.stylesheet
    }
}
