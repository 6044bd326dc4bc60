//! Three nodes.
use anyhow::Result;
use netbasics::port::Endpoint;
pub fn run(_addr: &Endpoint) -> Result<()> {
    Ok(())
}
