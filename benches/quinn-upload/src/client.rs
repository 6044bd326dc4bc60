//! Sends one file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use quinn::rustls::RootCertStore;
use quinn::rustls::pki_types::CertificateDer;
use quinn::{ClientConfig, Endpoint, EndpointConfig, TokioRuntime};
use sha2::{Digest, Sha256};
use tokio::fs::{self, File};
use tokio::io::AsyncReadExt;

use crate::{BLOCK, Cli, NAME, STORED, transport};

/// How long the last packets may take on their way.
const GOODBYE: Duration = Duration::from_secs(1);

pub async fn run(cli: &Cli, file: &Path) -> Result<()> {
    let mut trusted = RootCertStore::empty();
    let certificate = fs::read(&cli.certificate).await.context("cannot read the certificate")?;
    trusted.add(CertificateDer::from(certificate))?;
    let mut config = ClientConfig::with_root_certificates(Arc::new(trusted))?;
    config.transport_config(transport::config(cli));
    let socket = transport::bind(([127, 0, 0, 1], 0).into(), cli)?;
    let endpoint = Endpoint::new(EndpointConfig::default(), None, socket, Arc::new(TokioRuntime))?;
    let connection = endpoint.connect_with(config, cli.addr, NAME)?.await?;
    let (mut stream, mut answer) = connection.open_bi().await?;
    let mut file = File::open(file).await?;
    let mut left = file.metadata().await?.len();
    stream.write_all(&left.to_be_bytes()).await?;
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; BLOCK]);
    file.set_max_buf_size(BLOCK);
    while left > 0 {
        let length = file.read(&mut buffer).await?;
        ensure!(length > 0, "the file became shorter while it was sent");
        digest.update(&buffer[..length]);
        stream.write_all(&buffer[..length]).await?;
        left = left.saturating_sub(length as u64);
    }
    stream.write_all(&digest.finalize()).await?;
    stream.finish()?;
    let mut stored = [0];
    answer.read_exact(&mut stored).await?;
    ensure!(stored == [STORED], "the server answers something else");
    connection.close(0_u32.into(), b"done");
    // The server waits for our leaving; should it be lost, it has its own time limit.
    let _ = tokio::time::timeout(GOODBYE, endpoint.wait_idle()).await;
    Ok(())
}
