use std::process::Command;

use anyhow::{Result, ensure};

#[tokio::test]
async fn helm_test_says_that_the_operator_is_well() -> Result<()> {
    let output = Command::new("helm")
        .args(["test", "docket", "--namespace", "docket-system"])
        .output()?;
    let told = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    ensure!(told.contains("Succeeded"), "{told}");
    Ok(())
}
