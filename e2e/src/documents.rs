//! The document API of a tenant, as one of its clients uses it.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt as _;
use reqwest::multipart::{Form, Part};
use reqwest::{Certificate, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::net::TcpStream;

use crate::objects::Objects;
use crate::retry::send;
use crate::wait::until;
use docket_testing_support::Authority;

/// One client of a document API.
#[derive(Clone, Debug)]
pub struct Documents {
    http: reqwest::Client,
    base: String,
    client: String,
    key: String,
}

impl Documents {
    /// The API behind the Service `name`, for `client` with its `key`; waits until every node knows
    /// where the Service leads, which no status tells.
    ///
    /// # Errors
    /// There is no such Service, or it leads nowhere.
    pub async fn of_service(
        objects: &Objects,
        name: &str,
        client: &str,
        key: &str,
    ) -> Result<Self> {
        let service: Service = objects.get(name).await?;
        let address = service
            .spec
            .and_then(|spec| spec.cluster_ip)
            .context("no cluster IP")?;
        until("a connection to the Service", async || {
            let connection = TcpStream::connect((address.as_str(), 80)).await;
            Ok(connection.map(drop).map_err(|error| error.to_string()))
        })
        .await?;
        Self::at(&format!("http://{address}"), client, key)
    }

    /// The API at the URL `base`, for `client` with its `key`.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn at(base: &str, client: &str, key: &str) -> Result<Self> {
        Ok(Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            base: base.to_owned(),
            client: client.to_owned(),
            key: key.to_owned(),
        })
    }

    /// The API behind the Service `name` of `objects`, over TLS under the Service's own name, believed
    /// by `authorities`.
    ///
    /// # Errors
    /// There is no such Service, or an authority is no PEM.
    pub async fn of_service_with_tls(
        objects: &Objects,
        name: &str,
        authorities: &[&Authority],
        (client, key): (&str, &str),
    ) -> Result<Self> {
        let service: Service = objects.get(name).await?;
        let namespace = service.namespace().context("no namespace")?;
        let address = service
            .spec
            .and_then(|spec| spec.cluster_ip)
            .context("no cluster IP")?;
        let host = format!("{name}.{namespace}.svc");
        let authorities = authorities
            .iter()
            .map(|it| Certificate::from_pem(it.pem().as_bytes()));
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only(authorities.collect::<Result<Vec<_>, _>>()?)
            .resolve(&host, SocketAddr::new(address.parse()?, 443))
            .build()?;
        Ok(Self {
            http,
            base: format!("https://{host}"),
            client: client.to_owned(),
            key: key.to_owned(),
        })
    }

    /// The same API and key on the routes of another client.
    #[must_use]
    pub fn on_routes_of(&self, client: &str) -> Self {
        Self {
            client: client.to_owned(),
            ..self.clone()
        }
    }

    /// A request to `path` below the client's routes.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/clients/{}/{path}", self.base, self.client);
        self.http
            .request(method, url)
            .header("X-API-Key", &self.key)
    }

    /// What a gauge without labels of one of its pods shows.
    ///
    /// # Errors
    /// The pod shows none of this name.
    pub async fn gauge(&self, name: &str) -> Result<f64> {
        let page = self.http.get(format!("{}/metrics", self.base));
        let page = page.send().await?.error_for_status()?.text().await?;
        let mut values = page.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            (series.split('{').next() == Some(name)).then(|| value.parse().ok())?
        });
        values.next().with_context(|| format!("no {name}"))
    }

    /// Answer to a GET of `path` below the client's routes, of a caller who [comes back](send).
    ///
    /// # Errors
    /// There is no answer, or none but 503.
    pub async fn get(&self, path: &str) -> Result<Response> {
        send(|| self.request(Method::GET, path)).await
    }

    /// Uploads a document, whatever the answer is, unless it is to come back.
    ///
    /// # Errors
    /// There is no answer, or none but 503.
    pub async fn try_upload(&self, filename: &str, content: &[u8]) -> Result<Response> {
        send(|| {
            let part = Part::bytes(content.to_vec()).file_name(filename.to_owned());
            let form = Form::new().part("file", part.mime_str("text/plain").expect("a type"));
            self.request(Method::PUT, "upload-document").multipart(form)
        })
        .await
    }

    /// Uploads a document and returns its id.
    ///
    /// # Errors
    /// It is not stored.
    pub async fn upload(&self, filename: &str, content: &[u8]) -> Result<i64> {
        let response = self.try_upload(filename, content).await?;
        let status = response.status();
        let body: Value = response.json().await?;
        ensure!(
            status == StatusCode::CREATED,
            "the upload was answered with {status}: {body}"
        );
        ensure!(body["client_id"] == self.client, "{body}");
        ensure!(body["metadata"]["file_size"] == content.len(), "{body}");
        body["document_id"]
            .as_i64()
            .with_context(|| format!("no document_id in {body}"))
    }

    /// The metadata of a document.
    ///
    /// # Errors
    /// It is not found.
    pub async fn metadata(&self, id: i64) -> Result<Value> {
        let response = self.get(&format!("documents/{id}")).await?;
        Ok(response.error_for_status()?.json().await?)
    }

    /// The bytes of a document.
    ///
    /// # Errors
    /// It is not found.
    pub async fn content(&self, id: i64) -> Result<Vec<u8>> {
        let response = self.get(&format!("documents/{id}/content")).await?;
        Ok(response.error_for_status()?.bytes().await?.to_vec())
    }
}
