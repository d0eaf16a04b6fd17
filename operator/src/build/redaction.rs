//! What the collector takes out of telemetry, whoever sent it: the second of two lines.
//!
//! The API server redacts by stricter rules (check digits, what stands around) before anything leaves
//! it. These patterns are simpler and take a little too much rather than too little. A search with all
//! of them costs the collector more than all else that it does with a span, so what plainly holds
//! nothing is told apart first, by patterns that are matched in one pass.

use serde_json::{Value, json};

use super::collector_config::literal;

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
    // JSON Web Tokens, keys of ours and of well-known makers, private keys.
    r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*|\b[dp]k_[0-9a-f]{64}\b|\bA(?:KIA|SIA|ROA|IDA)[A-Z0-9]{16}\b|\b(?:gh[pousr]_|github_pat_|glpat-|sk-|[spr]k_live_|[spr]k_test_|xox[a-z]-|AIza|npm_|hvs\.)[A-Za-z0-9_-]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*)",
    // What a word announces.
    r"(?i)(?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|authorization|credentials?|signature|\bsig)[\\\x22\x27]*\s*[=:]\s*[\\\x22\x27]*(?:(?:bearer|basic|digest|apikey|token)[ +]+)?[^\s\x22\x27&,;<>\\]+",
    r"(?i)\b(?:bearer|basic)[ +]+[A-Za-z0-9._~+/-]{8,}=*",
];

/// Attributes that our source gives their values, which need not be searched each time.
const OURS: [&str; 21] = [
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
    "docket.workload",
    "duration_ms",
    "file_size",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "idle_ns",
    "k8s.namespace.name",
    "k8s.pod.name",
    "status",
    "success",
];

/// Values that no pattern matches: without upper case, spaces and signs that addresses and secrets
/// need, and without two digits on both sides of another sign; and UUIDs.
const PLAIN: [&str; 2] = [
    r"^[^0-9A-Z\s@%=:+]*(?:[0-9]{1,8}(?:[a-z/{}][^0-9A-Z\s@%=:+]*|\z))*\z",
    r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\z",
];

/// Names of spans that no pattern matches.
const PLAIN_NAME: &str = r"^(?:[A-Z]+ )?[a-z_/{}.-]*\z";

/// Names of the processors of traces, in their order; `own` are the tenant's patterns.
pub(super) fn of_traces(own: &[String]) -> Vec<&'static str> {
    let mut names = of_others(own);
    names.push("transform/redaction");
    names
}

/// Names of the processors of metrics and logs.
pub(super) fn of_others(own: &[String]) -> Vec<&'static str> {
    match own {
        [] => vec!["redaction"],
        _ => vec!["redaction", "redaction/own"],
    }
}

/// The processor that masks attributes and the bodies of log records.
pub(super) fn of_values() -> Value {
    json!({
        "allow_all_keys": true,
        // A list is looked at as its text.
        "redact_all_types": true,
        "ignored_keys": OURS,
        "allowed_values": PLAIN,
        "blocked_values": PATTERNS,
        "summary": "silent",
    })
}

/// The same for the tenant's patterns: nobody knows what plainly matches none of them.
pub(super) fn of_own_values(own: &[String]) -> Value {
    let patterns: Vec<String> = own.iter().map(|pattern| literal(pattern)).collect();
    json!({
        "allow_all_keys": true,
        "redact_all_types": true,
        "blocked_values": patterns,
        "summary": "silent",
    })
}

/// The processor that masks what is not an attribute in a span. What cannot be masked is not sent.
pub(super) fn of_spans(own: &[String]) -> Value {
    let all = PATTERNS.map(|pattern| format!("(?:{pattern})")).join("|");
    let mask = |part: &str, pattern: &str, condition: String| {
        let pattern = quoted(pattern);
        format!(r#"replace_pattern({part}, {pattern}, "****") where {condition}"#)
    };
    let unless_plain = |part: &str| format!("not IsMatch({part}, {})", quoted(PLAIN_NAME));
    let unless_empty = |part: &str| format!(r#"{part} != """#);
    let (event, parts) = (
        "spanevent.name",
        ["span.name", "span.status.message", "span.trace_state"],
    );
    let [name, message, state] = parts;
    let mut of_span = vec![
        mask(name, &all, unless_plain(name)),
        mask(message, &all, unless_empty(message)),
        mask(state, &all, unless_empty(state)),
    ];
    let mut of_event = vec![mask(event, &all, unless_plain(event))];
    // One by one: put together they could repeat the name of a group.
    for pattern in own.iter().map(|pattern| literal(pattern)) {
        of_span.extend(parts.map(|part| mask(part, &pattern, unless_empty(part))));
        of_event.push(mask(event, &pattern, unless_empty(event)));
    }
    json!({
        "error_mode": "propagate",
        "trace_statements": [
            {"context": "span", "statements": of_span},
            {"context": "spanevent", "statements": of_event},
        ],
    })
}

/// A text in the collector's language of transformations.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}
