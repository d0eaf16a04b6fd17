//! What the chart's rights let the operator do, as a real API server sees it.

use docket_fault_matrix::{ControlPlane, Fidelity};
use reqwest::{Method, StatusCode};

const LEASES: &str = "/apis/coordination.k8s.io/v1/leases";

#[tokio::test(flavor = "multi_thread")]
async fn of_leases_in_other_namespaces_the_operator_sees_claims_alone() {
    let plane = ControlPlane::start(Fidelity::Swift).await;
    let plane = plane.expect("a control plane");
    let operator = plane.as_operator().expect("a client");
    for (query, status) in [
        (
            "?fieldSelector=metadata.name%3Ddocket-operator-claim",
            StatusCode::OK,
        ),
        (
            "?fieldSelector=metadata.name%3Danother",
            StatusCode::FORBIDDEN,
        ),
        ("", StatusCode::FORBIDDEN),
    ] {
        let asked = operator.request(Method::GET, &format!("{LEASES}{query}"));
        let answer = asked.send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{query}");
    }
}
