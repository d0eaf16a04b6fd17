use anyhow::{Context, Result, ensure};
use docket_crds::names;
use docket_e2e::issuer::Issuer;
use docket_e2e::retry::send;
use docket_e2e::scenario::{Scenario, TENANT, scenario};
use docket_e2e::wait::until;
use docket_testing_support::Authority;
use k8s_openapi::api::core::v1::{Secret, Service};
use reqwest::{Method, StatusCode};
use serde_json::json;

const READ: &str = "documents:read";
const BOTH: &str = "documents:read documents:write";

/// The document API behind the Service, for whoever has a token.
struct Api {
    http: reqwest::Client,
    base: String,
}

impl Api {
    async fn of(it: &Scenario) -> Result<Self> {
        let service: Service = it.objects.get(&names::api_name(TENANT)).await?;
        let address = service.spec.and_then(|spec| spec.cluster_ip);
        Ok(Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            base: format!("http://{}/clients", address.context("no cluster IP")?),
        })
    }

    /// The status, and the body.
    async fn ask(&self, method: Method, path: &str, token: &str) -> Result<(StatusCode, String)> {
        let answer = send(|| {
            let url = format!("{}/{path}", self.base);
            let request = self.http.request(method.clone(), url).bearer_auth(token);
            match method {
                Method::PUT => request.multipart(form()),
                _ => request,
            }
        })
        .await?;
        Ok((answer.status(), answer.text().await?))
    }

    async fn gets(
        &self,
        method: Method,
        path: &str,
        token: &str,
        status: StatusCode,
        problem: &str,
    ) -> Result<()> {
        let (seen, body) = self.ask(method, path, token).await?;
        ensure!(
            seen == status && body.contains(problem),
            "{path}: {seen} {body}"
        );
        Ok(())
    }
}

fn form() -> reqwest::multipart::Form {
    let file = reqwest::multipart::Part::bytes(b"by token".as_slice()).file_name("token.txt");
    reqwest::multipart::Form::new().part("file", file)
}

#[tokio::test]
async fn a_token_of_the_tenants_issuer_opens_its_client_as_far_as_its_scopes_go() {
    scenario(async |it| {
        let authority = Authority::new("login")?;
        let issuer = Issuer::start(&it.client, &authority).await?;
        let secret: Secret = serde_json::from_value(json!({
            "metadata": {"name": "login-ca"}, "stringData": {"ca.crt": authority.pem()},
        }))?;
        it.objects.create(&secret).await?;
        let mut spec = it.spec(&["globex", "initech"]);
        spec["api"]["auth"] = json!({"mode": "Jwt", "jwt": {
            "issuer": issuer.url, "audience": "docket", "caSecretRef": {"name": "login-ca"},
        }});
        it.ready(spec).await?;

        let api = Api::of(it).await?;
        let both = issuer.token("globex", BOTH)?;
        let upload = "globex/upload-document";
        until("the token's upload", async || {
            let answer = api.ask(Method::PUT, upload, &both).await;
            Ok(match answer {
                Ok((StatusCode::CREATED, _)) => Ok(()),
                answer => Err(format!("{answer:?}")),
            })
        })
        .await?;
        let list = "globex/documents";
        api.gets(Method::GET, list, &both, StatusCode::OK, "token.txt")
            .await?;
        api.gets(
            Method::GET,
            "globex/audit",
            &both,
            StatusCode::FORBIDDEN,
            "documents:admin",
        )
        .await?;
        let admin = issuer.token("globex", "documents:admin documents:read")?;
        api.gets(
            Method::GET,
            "globex/audit",
            &admin,
            StatusCode::OK,
            "sub:alice",
        )
        .await?;

        let read = issuer.token("globex", READ)?;
        api.gets(
            Method::PUT,
            upload,
            &read,
            StatusCode::FORBIDDEN,
            "insufficient-scope",
        )
        .await?;
        let of_another = issuer.token("initech", BOTH)?;
        api.gets(
            Method::GET,
            list,
            &of_another,
            StatusCode::FORBIDDEN,
            "client-refused",
        )
        .await?;
        let stranger = Issuer::start(&it.client, &authority).await?;
        let forged = stranger.token("globex", BOTH)?;
        api.gets(
            Method::GET,
            list,
            &forged,
            StatusCode::UNAUTHORIZED,
            "token-refused",
        )
        .await
    })
    .await;
}
