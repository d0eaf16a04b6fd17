//! `docketctl trace`: from an answer's id to all that it caused.

use anyhow::{Context, Result, ensure};
use docket_cli::arguments::Arguments;
use docket_cli::screen::Screen;
use docket_e2e::scenario::{Scenario, TENANT, scenario};
use docket_e2e::wait::until;
use serde_json::Value;

/// What the command prints, or what it says where it ends with a problem.
async fn trace(it: &Scenario, words: &str) -> Result<Result<String, String>> {
    let words = ["docketctl", "trace", "-n", &it.namespace]
        .into_iter()
        .chain(words.split_whitespace());
    let arguments = Arguments::read("docketctl", words.map(Into::into))?;
    let mut pages = Vec::new();
    let result =
        docket_cli::run(arguments, &mut Screen::written(&mut pages, std::io::sink())).await;
    let page = String::from_utf8(pages)?;
    Ok(result.map(|()| page).map_err(|problem| problem.to_string()))
}

#[tokio::test]
async fn the_request_id_of_an_answer_leads_to_its_line_its_spans_its_log_and_its_statement() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let documents = it.documents("globex").await?;
        let answer = documents.try_upload("traced.txt", b"traced").await?;
        ensure!(answer.status() == 201, "{}", answer.status());
        let id = answer.headers()["x-request-id"].to_str()?.to_owned();
        let names = [
            "upload_document",
            "file_processing",
            "file_save",
            "store_metadata",
            "transaction_commit",
        ];
        let page = until("all of the trace", async || {
            let page = trace(it, &id).await?.unwrap_or_else(|problem| problem);
            let missing = names.iter().find(|name| !page.contains(**name));
            Ok(match missing {
                None => Ok(page),
                Some(name) => Err(format!("no {name} in\n{page}")),
            })
        })
        .await?;
        let first = page.lines().next().unwrap_or_default();
        ensure!(
            first.starts_with("PUT  /clients/{client}/upload-document  201")
                && first.ends_with("client globex"),
            "{page}"
        );
        for (name, above) in names.into_iter().zip(names.into_iter().skip(1)) {
            ensure!(page.find(name) < page.find(above), "{name}: {page}");
        }
        for part in [
            &format!("  request  {id}\n"),
            docket_contract::DOCUMENT_API,
            "  INFO  ",
            "acme-api-",
            "INSERT INTO document_metadata",
        ] {
            ensure!(page.contains(part), "{part}: {page}");
        }
        ensure!(!page.contains("traced.txt"), "a value is in it: {page}");

        let written = trace(it, &format!("{id} {TENANT} --output json")).await?;
        let written: Value = serde_json::from_str(&written.map_err(anyhow::Error::msg)?)?;
        let story = &written["traces"][0];
        ensure!(story["requestId"] == *id, "{written}");
        ensure!(story["request"]["fields"]["status"] == 201, "{written}");
        let trace_id = story["traceId"].as_str().context("a trace")?;
        let of_trace = trace(it, trace_id).await?.map_err(anyhow::Error::msg)?;
        ensure!(of_trace.contains(&id), "{of_trace}");

        let alone = trace(it, &format!("{id} --gateway {}/no-such", it.namespace)).await?;
        let alone = alone.map_err(anyhow::Error::msg)?;
        ensure!(
            alone.contains("  201  ")
                && alone.contains("Name one that keeps files with --gateway."),
            "{alone}"
        );
        let unknown = trace(it, "no-such-request --wait 0").await?;
        ensure!(
            unknown
                .as_ref()
                .is_err_and(|why| why.contains("nothing is known of no-such-request")),
            "{unknown:?}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_trace_that_the_status_names_is_found_at_the_gateway_with_what_was_applied() {
    scenario(async |it| {
        let tenant = it.ready(it.spec(&["globex"])).await?;
        let status = tenant.status.context("a status")?;
        let id = status.reconcile.context("a reconcile")?.trace_id;
        let names = ["reconcile", "dereference", "database", "apply Deployment"];
        let page = until("the trace of the reconcile", async || {
            let page = trace(it, &id).await?.unwrap_or_else(|problem| problem);
            let missing = names.iter().find(|name| !page.contains(**name));
            Ok(match missing {
                None => Ok(page),
                Some(name) => Err(format!("no {name} in\n{page}")),
            })
        })
        .await?;
        ensure!(page.contains("docket-operator"), "{page}");
        ensure!(page.contains(&format!("  trace    {id}\n")), "{page}");
        Ok(())
    })
    .await;
}
