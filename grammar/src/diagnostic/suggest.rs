//! "Did you mean …?", with thresholds that keep it quiet when nothing is near.

/// The best candidates for a misspelt `name`, at most three, best first.
///
/// Equality up to case comes first, then a unique candidate that extends the name (`mem`,
/// `memory`), then those within a distance of a third of the name's length, where two swapped
/// letters count once.
pub fn similar<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let candidates: Vec<&str> = candidates.into_iter().filter(|c| *c != name).collect();
    if let Some(same) = candidates.iter().find(|c| c.eq_ignore_ascii_case(name)) {
        return vec![same];
    }
    let plain = |text: &str| text.replace(['-', '_'], "").to_lowercase();
    if let Some(same) = candidates.iter().find(|c| plain(c) == plain(name)) {
        return vec![same];
    }
    let extended: Vec<&str> = candidates
        .iter()
        .copied()
        .filter(|c| name.chars().count() >= 3 && (c.starts_with(name) || name.starts_with(c)))
        // Half a word is another word: `env` of `environment`.
        .filter(|c| c.len() > name.len() / 2)
        .filter(|c| c.len() >= 3)
        .collect();
    let most = (name.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &str)> =
        candidates.iter().map(|c| (distance(name, c), *c)).filter(|(d, _)| *d <= most).collect();
    near.sort_by_key(|(d, _)| *d);
    // Beside a near one a far one is noise.
    let nearest = near.first().map_or(0, |(d, _)| *d);
    near.retain(|(d, _)| *d <= nearest * 2);
    let mut found: Vec<&str> = near.into_iter().map(|(_, c)| c).collect();
    if let [one] = extended.as_slice()
        && !found.contains(one)
    {
        found.push(one);
    }
    found.truncate(3);
    found
}

/// `` did you mean `x`? ``, or nothing when no candidate is near.
pub fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let found: Vec<String> = similar(name, candidates).into_iter().map(super::ticked).collect();
    (!found.is_empty()).then(|| format!("did you mean {}?", super::list_or(&found)))
}

/// Edits between two words; two neighbouring letters swapped are one edit (Damerau, optimal
/// string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        assert_eq!(similar("biuld", ["build", "push"]), ["build"]);
        assert_eq!(similar("Build", ["build", "push"]), ["build"]);
        assert_eq!(similar("mem", ["memory", "cpus"]), ["memory"]);
        assert_eq!(similar("health_checks", ["healthChecks", "cpus"]), ["healthChecks"]);
        assert_eq!(similar("unknwon-name", ["unknown-type", "unknown-name"]), ["unknown-name"]);
        assert_eq!(similar("tagg", ["tag", "tags", "target"]), ["tag", "tags"]);
    }

    #[test]
    fn far_names_are_not() {
        assert!(similar("key", ["null"]).is_empty());
        assert!(similar("x", ["image"]).is_empty());
        assert_eq!(did_you_mean("key", ["null"]), None);
    }
}
