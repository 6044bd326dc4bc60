//! Receives a file on every connection.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use quinn::rustls::pki_types::PrivatePkcs8KeyDer;
use quinn::{Endpoint, EndpointConfig, Incoming, RecvStream, ServerConfig, TokioRuntime};
use sha2::{Digest, Sha256};
use tokio::fs::{self, File};
use tokio::io::{AsyncWriteExt, BufWriter};

use crate::{BLOCK, Cli, NAME, STORED, transport};

pub async fn run(cli: &Cli, folder: &Path) -> Result<()> {
    let own = rcgen::generate_simple_self_signed(vec![NAME.to_owned()])?;
    fs::write(&cli.certificate, own.cert.der()).await.context("cannot write the certificate")?;
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()).into();
    let mut config = ServerConfig::with_single_cert(vec![own.cert.into()], key)?;
    config.transport_config(transport::config(cli));
    let socket = transport::bind(cli.addr, cli)?;
    let runtime = Arc::new(TokioRuntime);
    let endpoint = Endpoint::new(EndpointConfig::default(), Some(config), socket, runtime)?;
    println!("listening on {}", endpoint.local_addr()?);
    std::io::stdout().flush()?;
    let mut number = 0;
    while let Some(incoming) = endpoint.accept().await {
        number += 1;
        let file = folder.join(format!("file-{number}"));
        tokio::spawn(async move {
            if let Err(error) = receive(incoming, &file).await {
                eprintln!("nothing stored: {error:#}");
            }
        });
    }
    Ok(())
}

/// One file, and the answer that it is there.
async fn receive(incoming: Incoming, file: &Path) -> Result<()> {
    let connection = incoming.await?;
    let (mut answer, mut stream) = connection.accept_bi().await?;
    let mut length = [0; 8];
    stream.read_exact(&mut length).await?;
    let length = u64::from_be_bytes(length);
    let digest = write(&mut stream, File::create(file).await?, length).await?;
    let mut expected = [0; 32];
    stream.read_exact(&mut expected).await?;
    ensure!(digest == expected, "the digest is wrong");
    eprintln!("stored {length} bytes");
    answer.write_all(&[STORED]).await?;
    answer.finish()?;
    // The client closes the connection when it has the answer.
    connection.closed().await;
    Ok(())
}

/// Writes what comes, in blocks: tokio writes files on another thread, and to go there for every
/// packet's chunk costs more than to copy it.
async fn write(stream: &mut RecvStream, mut file: File, length: u64) -> Result<[u8; 32]> {
    file.set_max_buf_size(BLOCK);
    let mut file = BufWriter::with_capacity(BLOCK, file);
    let (mut digest, mut left) = (Sha256::new(), usize::try_from(length)?);
    while left > 0 {
        let chunk = stream.read_chunk(left.min(BLOCK), true).await?;
        let bytes = chunk.context("the stream ended before the file")?.bytes;
        digest.update(&bytes);
        file.write_all(&bytes).await?;
        left -= bytes.len();
    }
    file.flush().await?;
    Ok(digest.finalize().into())
}
