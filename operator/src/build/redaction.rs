//! What the collector takes out of telemetry, whoever sent it: the second of two lines.
//!
//! The API server redacts by stricter rules (check digits, what stands around) before anything leaves
//! it. These patterns are simpler and take a little too much rather than too little.

use serde_json::{Value, json};

/// In the syntax of RE2, without the characters that mean something to the collector's files or to
/// OTTL: no dollar, no quotes.
const PATTERNS: [&str; 8] = [
    // Who logs in in a URL.
    r"://[^\s/?#\x22\x27<>]+@",
    // E-mail addresses.
    r"[^\s@\x22\x27<>()\[\],;:/\\=&?{}|]+(?:@|%40)[^\s@\x22\x27<>()\[\],;:/\\=&?{}|.%]+(?:\.[^\s@\x22\x27<>()\[\],;:/\\=&?{}|.%]+)+",
    // Payment card numbers; a UUID has no three groups of four digits before a fourth one that ends.
    r"(?:\b|_)(?:[2-6][0-9]{12,18}|[2-6][0-9]{3}(?:[ ._+-][0-9]{4}){3}|3[0-9]{3}[ ._+-][0-9]{6}[ ._+-][0-9]{4,5})(?:\b|_)",
    // US social security numbers.
    r"(?:\b|_)[0-9]{3}[ _+-][0-9]{2}[ _+-][0-9]{4}(?:\b|_)",
    // IBANs.
    r"\b[A-Z]{2}[0-9]{2}(?:[ +]?[A-Z0-9]{4}){2,7}(?:[ +]?[A-Z0-9]{1,3})?\b",
    // JSON Web Tokens, keys of well-known makers, private keys.
    r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*|\bA(?:KIA|SIA|ROA|IDA)[A-Z0-9]{16}\b|\b(?:gh[pousr]_|github_pat_|glpat-|sk-|[spr]k_live_|[spr]k_test_|xox[a-z]-|AIza|npm_|hvs\.)[A-Za-z0-9_-]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*)",
    // What a word announces.
    r"(?i)(?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|authorization|credentials?|signature|\bsig)[\\\x22\x27]*\s*[=:]\s*[\\\x22\x27]*(?:(?:bearer|basic|digest|apikey|token)[ +]+)?[^\s\x22\x27&,;<>\\]+",
    r"(?i)\b(?:bearer|basic)[ +]+[A-Za-z0-9._~+/-]{8,}=*",
];

/// Attributes that our source gives their values, which need not be searched each time.
const OURS: [&str; 16] = [
    "busy_ns",
    "code.file.path",
    "code.line.number",
    "code.module.name",
    "db.collection.name",
    "db.namespace",
    "db.operation.name",
    "db.query.text",
    "db.system.name",
    "docket.tenant",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "idle_ns",
    "k8s.namespace.name",
    "k8s.pod.name",
];

/// Names of the processors of traces, in their order.
pub(super) const OF_TRACES: [&str; 2] = ["redaction", "transform/redaction"];

/// Names of the processors of metrics and logs.
pub(super) const OF_OTHERS: [&str; 1] = ["redaction"];

/// The processor that masks attributes and the bodies of log records.
pub(super) fn of_values() -> Value {
    json!({"allow_all_keys": true, "redact_all_types": true, "ignored_keys": OURS, "blocked_values": PATTERNS, "summary": "silent"})
}

/// The processor that masks what is not an attribute in a span. What cannot be masked is not sent.
pub(super) fn of_spans() -> Value {
    let statement = |part: &str| {
        let all = PATTERNS.map(|pattern| format!("(?:{pattern})")).join("|");
        let quoted = all.replace('\\', r"\\");
        format!(r#"replace_pattern({part}, "{quoted}", "****")"#)
    };
    let span = ["span.name", "span.status.message", "span.trace_state"].map(statement);
    json!({
        "error_mode": "propagate",
        "trace_statements": [
            {"context": "span", "statements": span},
            {"context": "spanevent", "statements": [statement("spanevent.name")]},
        ],
    })
}
