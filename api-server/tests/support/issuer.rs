//! An issuer of tokens on this machine: its keys, where it publishes them, and what it signs.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::serve::Listener;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};
use rustls::ServerConfig;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Made for these tests, and used nowhere else.
const RSA: &[u8] = include_bytes!("rsa-for-tests-only.der");

pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.expect("after 1970").as_secs()).expect("before the end of time")
}

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

/// A private key of an issuer.
pub struct Signer {
    pub algorithm: &'static str,
    /// The public half, as it is published.
    pub jwk: Value,
    /// The private half as PKCS#8, of a key for Ed25519.
    pub pem: Option<String>,
    sign: Sign,
}

impl Signer {
    pub fn ed25519(id: &str) -> Self {
        let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
        let pem = Some(key.serialize_pem());
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&key.serialize_der()).expect("a key");
        let public = base64(key.public_key());
        Self {
            algorithm: "EdDSA",
            jwk: json!({"kty": "OKP", "crv": "Ed25519", "x": public, "kid": id, "use": "sig"}),
            pem,
            sign: Box::new(move |message| key.sign(message).as_ref().to_vec()),
        }
    }

    pub fn es256(id: &str) -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        Self::ecdsa(id, "ES256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING, &key)
    }

    pub fn es384(id: &str) -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).expect("a key");
        Self::ecdsa(id, "ES384", "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING, &key)
    }

    fn ecdsa(
        id: &str,
        algorithm: &'static str,
        curve: &str,
        signing: &'static EcdsaSigningAlgorithm,
        key: &KeyPair,
    ) -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(signing, &key.serialize_der(), &random).expect("a key");
        let point = &key.public_key().as_ref()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        Self {
            algorithm,
            jwk: json!({"kty": "EC", "crv": curve, "x": base64(x), "y": base64(y), "kid": id}),
            pem: None,
            sign: Box::new(move |message| {
                let signed = key.sign(&random, message).expect("a signature");
                signed.as_ref().to_vec()
            }),
        }
    }

    pub fn rs256(id: &str) -> Self {
        Self::rsa(id, "RS256", &RSA_PKCS1_SHA256)
    }

    pub fn ps256(id: &str) -> Self {
        Self::rsa(id, "PS256", &RSA_PSS_SHA256)
    }

    fn rsa(id: &str, algorithm: &'static str, encoding: &'static dyn RsaEncoding) -> Self {
        let key = RsaKeyPair::from_pkcs8(RSA).expect("a key");
        let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(key.public());
        Self {
            algorithm,
            jwk: json!({"kty": "RSA", "n": base64(n), "e": base64(e), "kid": id, "alg": algorithm}),
            pem: None,
            sign: Box::new(move |message| {
                let mut signed = vec![0; key.public().modulus_len()];
                let random = SystemRandom::new();
                key.sign(encoding, &random, message, &mut signed)
                    .expect("a signature");
                signed
            }),
        }
    }

    pub fn id(&self) -> &str {
        self.jwk["kid"].as_str().expect("a kid")
    }

    /// A token with these claims and the header that fits.
    pub fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": self.algorithm, "typ": "JWT", "kid": self.id()});
        self.token_with(&header, claims)
    }

    /// The same with any header.
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        let message = format!(
            "{}.{}",
            base64(header.to_string()),
            base64(claims.to_string())
        );
        let signed = (self.sign)(message.as_bytes());
        format!("{message}.{}", base64(signed))
    }
}

/// The issuer's server.
pub struct Issuer {
    url: String,
    published: Arc<Published>,
}

#[derive(Default)]
struct Published {
    keys: Mutex<Vec<Value>>,
    asked: AtomicUsize,
    away: AtomicBool,
}

impl Issuer {
    pub async fn start(keys: &[&Signer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        Self::publish_at(format!("http://{address}"), listener, keys)
    }

    /// The same with a certificate for `localhost`.
    pub async fn start_with_tls(tls: ServerConfig, keys: &[&Signer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TlsListener { listener, acceptor };
        Self::publish_at(format!("https://localhost:{port}"), listener, keys)
    }

    fn publish_at<L: Listener>(url: String, listener: L, keys: &[&Signer]) -> Self
    where
        L::Addr: std::fmt::Debug,
    {
        let published = Arc::new(Published::default());
        let issuer = Self {
            url,
            published: published.clone(),
        };
        issuer.publish(keys);
        let discovery =
            json!({"issuer": issuer.url(), "jwks_uri": format!("{}/keys", issuer.url())});
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(async move || axum::Json(discovery)),
            )
            .route("/keys", get(answer))
            .with_state(published);
        tokio::spawn(async move { axum::serve(listener, router).await });
        issuer
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }

    pub fn publish(&self, keys: &[&Signer]) {
        let keys = keys.iter().map(|key| key.jwk.clone()).collect();
        *self.published.keys.lock().expect("no panic") = keys;
    }

    /// From now on it answers 500.
    pub fn goes_away(&self, away: bool) {
        self.published.away.store(away, Ordering::SeqCst);
    }

    /// How often its keys were asked for.
    pub fn asked(&self) -> usize {
        self.published.asked.load(Ordering::SeqCst)
    }

    /// Claims that it would sign for `globex`.
    pub fn claims(&self) -> Value {
        json!({
            "iss": self.url(), "aud": "docket", "sub": "alice", "client_id": "globex",
            "scope": "documents:read documents:write", "iat": now(), "exp": now() + 300,
        })
    }
}

/// Connections whose caller took the certificate.
struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.listener).await;
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

async fn answer(State(published): State<Arc<Published>>) -> Response {
    published.asked.fetch_add(1, Ordering::SeqCst);
    if published.away.load(Ordering::SeqCst) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let keys = published.keys.lock().expect("no panic").clone();
    axum::Json(json!({"keys": keys})).into_response()
}
