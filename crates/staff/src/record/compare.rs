//! Whether two recordings tell the same, and where they do not.

use std::collections::BTreeMap;

/// Where lines begin with labels (`[server] …`), each speaker must say the same in the same order,
/// but who comes first is chance. With `any_order` that holds for single lines.
pub fn alike(before: &str, now: &str, any_order: bool) -> bool {
    if any_order { sorted(before) == sorted(now) } else { by_speaker(before) == by_speaker(now) }
}

/// Of a diagram as text: each side must send the same in the same order, but whether it did so
/// before or after the other side has sent something is chance where neither waits for the other.
pub fn alike_drawn(before: &str, now: &str) -> bool {
    by_side(before) == by_side(now)
}

fn by_side(diagram: &str) -> [Vec<String>; 2] {
    let mut sides = [Vec::new(), Vec::new()];
    for line in diagram.lines() {
        let side = usize::from(line.contains('◀') && !line.contains('▶'));
        let words = line.split(|c| "│├┤─◀▶ ".contains(c)).filter(|word| !word.is_empty());
        sides[side].push(words.collect::<Vec<_>>().join(" "));
    }
    sides
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

fn by_speaker(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut said: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in text.lines() {
        let label = line.split(' ').next().filter(|it| it.starts_with('[') && it.ends_with(']'));
        said.entry(label.unwrap_or("")).or_default().push(line);
    }
    said
}

/// The first lines in which they differ.
pub fn difference(before: &str, now: &str) -> String {
    let (mut before, mut now) = (before.lines(), now.lines());
    loop {
        match (before.next(), now.next()) {
            (None, None) => return "only in the order of lines".to_owned(),
            (before, now) if before == now => {}
            (before, now) => {
                let show = |line: Option<&str>| line.unwrap_or("(the end)").to_owned();
                return format!("  recorded: {}\n  now:      {}", show(before), show(now));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "$ demo\n[server] a\n[client] b\n[server] c\n";

    #[test]
    fn speakers_may_change_places_but_not_their_own_lines() {
        assert!(alike(BEFORE, "$ demo\n[client] b\n[server] a\n[server] c\n", false));
        let swapped = "$ demo\n[server] c\n[client] b\n[server] a\n";
        assert!(!alike(BEFORE, swapped, false));
        assert!(alike(BEFORE, swapped, true));
        assert!(!alike(BEFORE, "$ demo\n[server] a\n[client] b\n", true));
    }

    #[test]
    fn the_sides_of_a_diagram_may_change_places() {
        let one = "client      server\n  ├── 3 bytes  \"one\" ─▶│\n  │◀── FIN ────────┤\n";
        let two = "client      server\n  │◀────── FIN ────┤\n  ├── 3 bytes  \"one\" ─▶│\n";
        assert!(alike_drawn(one, two));
        assert!(!alike_drawn(one, &two.replace("FIN", "RST")));
        assert!(!alike_drawn(one, &two.replace('◀', "▶")));
    }

    #[test]
    fn the_first_difference_is_shown() {
        let shown = difference(BEFORE, "$ demo\n[server] x\n");
        assert_eq!(shown, "  recorded: [server] a\n  now:      [server] x");
    }
}
