//! Whether every type of every file ignores what another release wrote into it, by the types' own
//! schemas: a type that is added is covered as soon as a file holds it.

use schemars::{JsonSchema, SchemaGenerator};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::{ContentOwner, SigningKeys, TenantConfig, TenantLimits};

/// What is put into an object besides its own members.
const UNKNOWN: &str = "ofAnotherRelease";

/// The schema of a file, from which samples are made.
struct File {
    schema: Value,
}

/// A value that the file may hold, and the same with a member more in each of its objects.
#[derive(Clone, Debug)]
struct Sample {
    plain: Value,
    extended: Value,
}

impl From<Value> for Sample {
    fn from(value: Value) -> Self {
        Self {
            plain: value.clone(),
            extended: value,
        }
    }
}

impl File {
    fn of<T: JsonSchema>() -> Self {
        let schema = SchemaGenerator::default().into_root_schema_for::<T>();
        Self {
            schema: schema.to_value(),
        }
    }

    /// Values in which each variant and each member comes up, and each optional member is missing once.
    fn samples(&self) -> Vec<Sample> {
        self.samples_of(&self.schema, &self.schema["title"])
    }

    /// Samples of `schema`, which belongs to the type `name`.
    fn samples_of(&self, schema: &Value, name: &Value) -> Vec<Sample> {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.schema.pointer(reference.trim_start_matches('#'));
            let name = reference.rsplit('/').next().into();
            return self.samples_of(target.expect("a definition"), &name);
        }
        if let Some(value) = schema.get("const") {
            return vec![value.clone().into()];
        }
        if let Some(values) = schema["enum"].as_array() {
            return values.iter().cloned().map(Sample::from).collect();
        }
        let alternatives = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
        if let Some(alternatives) = alternatives {
            let of_each = alternatives.iter().flat_map(|alternative| {
                if is_external_tag(alternative) {
                    self.samples_of_members(alternative, None)
                } else {
                    self.samples_of(alternative, name)
                }
            });
            return of_each.collect();
        }
        if let Some(types) = schema["type"].as_array() {
            let of_type = |each: &Value| {
                let mut schema = schema.clone();
                schema["type"] = each.clone();
                self.samples_of(&schema, name)
            };
            return types.iter().flat_map(of_type).collect();
        }
        match schema["type"].as_str() {
            Some("null") => vec![Value::Null.into()],
            Some("boolean") => vec![json!(false).into(), json!(true).into()],
            Some("integer") => vec![schema.get("minimum").unwrap_or(&json!(1)).clone().into()],
            Some("string") => vec![json!("text").into()],
            Some("array") => vec![self.list(&schema["items"], name)],
            Some("object") if schema.get("properties").is_some() => {
                self.samples_of_members(schema, Some(name))
            }
            Some("object") if schema["additionalProperties"].is_object() => {
                vec![self.map(&schema["additionalProperties"], name)]
            }
            _ => panic!("no sample can be made of {schema}"),
        }
    }

    fn list(&self, items: &Value, name: &Value) -> Sample {
        let (plain, extended) = self.samples_of(items, name).into_iter().map(both).unzip();
        Sample {
            plain: Value::Array(plain),
            extended: Value::Array(extended),
        }
    }

    /// A map whose keys are data: it has no members that could be unknown.
    fn map(&self, values: &Value, name: &Value) -> Sample {
        let keyed = |(number, sample): (usize, Sample)| {
            let key = format!("key{number}");
            ((key.clone(), sample.plain), (key, sample.extended))
        };
        let samples = self.samples_of(values, name).into_iter().enumerate();
        let (plain, extended) = samples.map(keyed).unzip();
        Sample {
            plain: Value::Object(plain),
            extended: Value::Object(extended),
        }
    }

    /// Objects with the members of `schema`; with one more where they are a type of their own, `name`.
    fn samples_of_members(&self, schema: &Value, name: Option<&Value>) -> Vec<Sample> {
        let members = schema["properties"].as_object().expect("properties");
        let samples: Vec<(&String, Vec<Sample>)> = members
            .iter()
            .map(|(member, schema)| (member, self.samples_of(schema, &json!(member))))
            .collect();
        let required = |member: &str| {
            let required = schema["required"].as_array();
            required.is_some_and(|required| required.contains(&json!(member)))
        };
        let most = samples.iter().map(|(_, samples)| samples.len()).max();
        let mut objects: Vec<Sample> = (0..most.unwrap_or(1))
            .map(|turn| {
                let of_turn = |(member, samples): &(&String, Vec<Sample>)| {
                    (
                        (*member).clone(),
                        samples[turn.min(samples.len() - 1)].clone(),
                    )
                };
                object(samples.iter().map(of_turn), name)
            })
            .collect();
        let least = samples.iter().filter(|(member, _)| required(member));
        objects.push(object(
            least.map(|(member, samples)| ((*member).clone(), samples[0].clone())),
            name,
        ));
        objects
    }
}

fn both(sample: Sample) -> (Value, Value) {
    (sample.plain, sample.extended)
}

fn object(members: impl Iterator<Item = (String, Sample)>, name: Option<&Value>) -> Sample {
    let (mut plain, mut extended) = (Map::new(), Map::new());
    for (member, sample) in members {
        plain.insert(member.clone(), sample.plain);
        extended.insert(member, sample.extended);
    }
    if let Some(name) = name {
        let unknown = format!("{UNKNOWN}In{}", name.as_str().unwrap_or_default());
        extended.insert(unknown, json!({"deep": ["inside"]}));
    }
    Sample {
        plain: Value::Object(plain),
        extended: Value::Object(extended),
    }
}

/// Whether this alternative is `{"variant": …}`, whose one member is the name of an enum's variant.
fn is_external_tag(alternative: &Value) -> bool {
    let members = alternative["properties"].as_object();
    members.is_some_and(|members| {
        members.len() == 1 && members.values().all(|member| member.get("const").is_none())
    })
}

fn read<T: DeserializeOwned + Serialize>(file: &Value) -> Value {
    let text = file.to_string();
    let read: T =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}, in {file:#}"));
    serde_json::to_value(read).expect("serializes")
}

/// How many members `value` has that its types do not know.
fn unknown_members(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(unknown_members).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| usize::from(name.starts_with(UNKNOWN)) + unknown_members(value))
            .sum(),
        _ => 0,
    }
}

fn reads_the_same_with_unknown_members<T: DeserializeOwned + Serialize + JsonSchema>() {
    let samples = File::of::<T>().samples();
    assert!(samples.len() > 1);
    for Sample { plain, extended } in samples {
        assert!(unknown_members(&extended) > 0, "{extended:#}");
        assert_eq!(read::<T>(&extended), read::<T>(&plain), "{extended:#}");
    }
}

#[test]
fn the_configuration_is_read_alike_with_members_that_nobody_knows() {
    reads_the_same_with_unknown_members::<TenantConfig>();
}

#[test]
fn the_limits_are_read_alike_with_members_that_nobody_knows() {
    reads_the_same_with_unknown_members::<TenantLimits>();
}

#[test]
fn the_signing_keys_are_read_alike_with_members_that_nobody_knows() {
    reads_the_same_with_unknown_members::<SigningKeys>();
}

#[test]
fn an_owner_of_content_is_read_alike_with_members_that_nobody_knows() {
    reads_the_same_with_unknown_members::<ContentOwner>();
}

/// Fails where a type is of no file: nothing would have looked into it.
#[test]
fn every_type_that_has_members_is_looked_into() {
    let of_files: Vec<String> = [
        File::of::<TenantConfig>().samples(),
        File::of::<TenantLimits>().samples(),
        File::of::<SigningKeys>().samples(),
        File::of::<ContentOwner>().samples(),
    ]
    .iter()
    .flatten()
    .map(|sample| sample.extended.to_string())
    .collect();
    let structs = structs();
    assert!(structs.contains(&"ClientLimits".to_owned()), "{structs:?}");
    for name in structs {
        let unknown = format!("\"{UNKNOWN}In{name}\"");
        assert!(
            of_files.iter().any(|file| file.contains(&unknown)),
            "{name} is in no file that this test looks at"
        );
    }
}

/// The names of this crate's public structs that have members.
fn structs() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the sources") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(path).expect("a source");
            let names = source.lines().filter_map(|line| {
                let rest = line.strip_prefix("pub struct ")?;
                rest.strip_suffix(" {")
            });
            found.extend(names.map(str::to_owned));
        }
    }
    found
}
