//! Which file is in which ConfigMap.

use std::collections::BTreeMap;

/// Files by their names.
pub(super) type Files = BTreeMap<String, String>;

/// Bytes of one ConfigMap: a little less than the 1 MiB that the API server accepts.
pub(super) const MOST: usize = 1_000_000;

/// The outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sharing {
    /// The files of each ConfigMap.
    pub(super) shards: Vec<Files>,
    /// Names of those that no ConfigMap has room for.
    pub(super) left_out: Vec<String>,
}

/// Shares `files` among ConfigMaps that held `before`. A file stays where it is while it fits there,
/// so that a new tenant changes one ConfigMap and not all.
pub(super) fn share(mut files: Files, before: Vec<Files>, most: usize) -> Sharing {
    let mut shards: Vec<Files> = before
        .into_iter()
        .map(|shard| {
            let mut kept = Files::new();
            for name in shard.into_keys() {
                if let Some(text) = files.get(&name)
                    && fits(&kept, &name, text)
                    && let Some(file) = files.remove_entry(&name)
                {
                    kept.extend([file]);
                }
            }
            kept
        })
        .collect();
    let mut left_out = Vec::new();
    for (name, text) in files {
        let at = (0..most).find(|at| {
            let shard = shards.get(*at);
            shard.map_or(fits(&Files::new(), &name, &text), |shard| {
                fits(shard, &name, &text)
            })
        });
        match at {
            Some(at) => {
                shards.resize_with(shards.len().max(at + 1), Files::new);
                shards[at].insert(name, text);
            }
            None => left_out.push(name),
        }
    }
    Sharing { shards, left_out }
}

fn fits(shard: &Files, name: &str, text: &str) -> bool {
    let taken: usize = shard
        .iter()
        .map(|(name, text)| name.len() + text.len())
        .sum();
    taken + name.len() + text.len() <= MOST
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn files(sizes: &[(u8, usize)]) -> Files {
        let file = |(name, size): &(u8, usize)| (name.to_string(), "x".repeat(*size));
        sizes.iter().map(file).collect()
    }

    #[test]
    fn a_new_file_goes_where_there_is_room_and_moves_no_other() {
        let half = MOST / 2 - 10;
        let before = vec![files(&[(1, half)]), files(&[(2, half), (3, half)])];
        let all = files(&[(1, half), (2, half), (3, half), (0, half), (4, half)]);
        let Sharing { shards, left_out } = share(all, before, 2);
        assert!(shards[0].contains_key("0") && shards[0].contains_key("1"));
        assert!(shards[1].contains_key("2") && shards[1].contains_key("3"));
        assert_eq!(left_out, ["4"]);
    }

    proptest! {
        #[test]
        fn every_file_is_in_one_place_and_no_place_is_too_full(
            now in proptest::collection::vec((0..20_u8, 0..400_000_usize), 0..20),
            then in proptest::collection::vec((0..20_u8, 0..400_000_usize), 0..20),
            most in 1..4_usize,
        ) {
            let first = share(files(&now), Vec::new(), most);
            let second = share(files(&then), first.shards, most);
            let wanted = files(&then);
            let places: Vec<&String> =
                second.shards.iter().flat_map(BTreeMap::keys).chain(&second.left_out).collect();
            prop_assert_eq!(places.len(), wanted.len());
            prop_assert!(wanted.keys().all(|name| places.contains(&name)));
            prop_assert!(second.shards.len() <= most);
            for shard in &second.shards {
                let size: usize = shard.iter().map(|(name, text)| name.len() + text.len()).sum();
                prop_assert!(size <= MOST);
                for (name, text) in shard {
                    prop_assert_eq!(&wanted[name], text);
                }
            }
            let again = share(wanted, second.shards.clone(), most);
            prop_assert_eq!(again, second);
        }
    }
}
