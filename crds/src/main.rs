//! Prints the CRD as YAML: `cargo run -p docket-crds > charts/docket/files/documenttenants.docket.dev.yaml`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(docket_crds::custom_resource_definition_yaml().as_bytes())
}
