//! HTTPS is HTTP over TLS (RFC 9846): the same bytes, in a tunnel that nobody on the way can read
//! or change. And one more thing, without which the tunnel would be worth nothing: the client
//! finds out whose end it is talking to.

use std::error::Error;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use netbasics::cli::program::Usage;
use netbasics::system::files::{explain_file, open_readable};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::version::TLS13;
use rustls::{CertificateError, ClientConfig, RootCertStore, ServerConfig};

/// The names and addresses that our server's certificate is good for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// How long it is good for: enough for a lesson.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// Clocks differ a little: the certificate is good from a moment ago.
const CLOCKS_DIFFER_BY: Duration = Duration::from_secs(60 * 60);
/// The most that is read of a file of certificates, in bytes: those of the whole web are 250,000.
const MAX_PEM_BYTES: u64 = 16 * 1024 * 1024;
/// What is spoken inside the tunnel, agreed on with the first messages (ALPN: RFC 7301).
const HTTP_1_1: &[u8] = b"http/1.1";

/// What a server needs to prove who it is, and what clients need to check it.
pub struct Identity {
    pub config: Arc<ServerConfig>,
    /// The authority's certificate; its key is gone already, so nobody can sign with it again.
    pub authority: CertificateDer<'static>,
    pub authority_pem: String,
}

// listing: begin identity
/// Makes an authority, and a certificate for this machine that it has signed.
///
/// On the web the authority is a company that checks who owns a name, and its certificate comes
/// with the browser. No private key leaves the memory of this process.
pub fn make_identity() -> Result<Identity> {
    let params = authority_params();
    let authority_key = KeyPair::generate()?;
    let authority = params.self_signed(&authority_key)?;
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate()?;
    let certificate = server_params()?.signed_by(&key, &issuer)?;

    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )?;
    config.alpn_protocols.push(HTTP_1_1.to_vec());
    let authority_pem = authority.pem();
    Ok(Identity { config: config.into(), authority: authority.into(), authority_pem })
}

fn authority_params() -> CertificateParams {
    let mut params = valid_today(CertificateParams::default());
    params.distinguished_name.push(DnType::CommonName, "lesson 8, an authority for a day");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages.push(KeyUsagePurpose::KeyCertSign);
    params
}

fn server_params() -> Result<CertificateParams> {
    // The names stand in the extension subjectAltName; a client looks nowhere else (RFC 9525,
    // section 2; how it compares is in 6.3 for names and in 6.4 for addresses).
    let mut params = valid_today(CertificateParams::new(NAMES.map(String::from))?);
    params.distinguished_name.push(DnType::CommonName, "lesson 8, a server");
    params.use_authority_key_identifier_extension = true;
    params.key_usages.push(KeyUsagePurpose::DigitalSignature);
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    Ok(params)
}
// listing: end identity

fn valid_today(mut params: CertificateParams) -> CertificateParams {
    let now = SystemTime::now();
    params.not_before = (now - CLOCKS_DIFFER_BY).into();
    params.not_after = (now + LIFETIME).into();
    params
}

// listing: begin trust
/// A client that believes what these authorities have signed, and nobody else. With none at all it
/// believes nobody.
pub fn trust(authorities: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority.clone()).context("this is no certificate of an authority")?;
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols.push(HTTP_1_1.to_vec());
    Ok(config.into())
}
// listing: end trust

/// The certificates in a PEM file.
///
/// # Errors
/// [`Usage`] when it cannot be read or holds none.
pub fn read_authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, Usage> {
    let shown = path.display();
    let cannot = |reason: String| Usage(format!("cannot read --cacert {shown}: {reason}"));
    let (file, _) = open_readable(path).map_err(|error| cannot(error.to_string()))?;
    let mut bytes = Vec::new();
    let read = file.take(MAX_PEM_BYTES).read_to_end(&mut bytes);
    read.map_err(|error| cannot(explain_file(&error)))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(Usage(format!("--cacert {shown} holds no certificate in PEM form"))),
    }
}

/// Who does the arithmetic: the crate ring.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// What TLS has against the peer, if that is what `error` is about.
pub fn complaint(error: &io::Error) -> Option<String> {
    let inner = error.get_ref()? as &(dyn Error + 'static);
    inner.downcast_ref().map(explain)
}

/// The reason and what to try, in one line.
pub fn explain(error: &rustls::Error) -> String {
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage};
    match error {
        InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its certificate is signed by an authority that we do not trust: name the right one \
             with --cacert"
                .to_owned()
        }
        InvalidCertificate(
            reason @ (CertificateError::NotValidForName
            | CertificateError::NotValidForNameContext { .. }),
        ) => format!("this is somebody else: {reason}"),
        InvalidMessage(_) => "what it says is not TLS: does it speak plain http?".to_owned(),
        AlertReceived(alert) => format!("the peer ended the handshake: {alert:?}"),
        other => other.to_string(),
    }
}
