//! The embedding example is run as it stands.

#[path = "../examples/embed.rs"]
mod embed;

#[test]
fn the_example_runs_to_its_end() {
    embed::main().expect("a token response");
}
