//! What a page shows for `{{#run …}}`, `{{#diagram …}}` and `{{#quiz …}}`, what it says when there
//! is nothing to show, and how both languages are held together.

mod common;

use common::Workspace;
use rstest::rstest;

const RUN: &str = "$ serve\nlistening on 127.0.0.1:8888\n%%\n$ ask <1>\nthree `reads`\n";
const SVG: &str = "<svg class='netlab'>\n<title>T</title>\n<style>\n.a{}\n\n.b{}\n</style>\n\
                   <text>LANG</text>\n</svg>\n";
const QUIZ: &str = "[[question]]\nrecorded = '02/hello'\n\
    ask = { en = 'What *is* asked?', zh = '问*什么*？' }\n\
    why = { en = 'Because.', zh = '因为。' }\n\
    [[question.choice]]\nen = '`RIGHT`'\nzh = '`RIGHT`'\nright = true\n\
    [[question.choice]]\nen = '`WRONG`, no'\nzh = '`WRONG`，不对'\n";

/// With a recording `02/hello` and a quiz `02`.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("mdbook/recordings/02/hello.txt", RUN);
    for (tag, language) in [("en", "English"), ("zh-CN", "中文")] {
        let svg = SVG.replace("LANG", language);
        workspace.write(&format!("mdbook/recordings/02/hello.{tag}.svg"), &svg);
        let text = format!("{language} <a>\n\nb");
        workspace.write(&format!("mdbook/recordings/02/hello.{tag}.diagram.txt"), &text);
    }
    workspace.write("mdbook/quizzes/02.toml", &quiz("$ serve", "other"));
    workspace
}

fn quiz(right: &str, wrong: &str) -> String {
    QUIZ.replace("RIGHT", right).replace("WRONG", wrong)
}

#[test]
fn a_run_is_a_block_for_each_terminal() {
    let workspace = workspace();
    workspace.write_third_line("{{#run 02/hello}}");
    let editions = workspace.build().unwrap();
    assert_eq!(editions[0].counts.runs, 1);
    let page = workspace.page("en/ch.html");
    assert_eq!(page.matches("class=\"language-console\"").count(), 2, "{page}");
    assert!(page.contains("$ ask &lt;1&gt;\nthree `reads`\n"), "{page}");
    assert!(!page.contains("%%"), "{page}");
}

#[test]
fn a_diagram_stands_in_the_page_with_its_text_in_the_page_s_language() {
    let workspace = workspace();
    workspace.write("mdbook/src/zh-CN/SUMMARY.md", "# 一本小书\n\n- [一](ch.md)\n");
    workspace.write_third_line("{{#diagram 02/hello}}");
    workspace.write("mdbook/src/zh-CN/ch.md", "# 一 {#one}\n\n{{#diagram 02/hello}}\n");
    workspace.build().unwrap();
    for (page, language) in [("en/ch.html", "English"), ("zh-CN/ch.html", "中文")] {
        let page = workspace.page(page);
        assert!(page.contains(&format!("<text>{language}</text>")), "{page}");
        assert!(page.contains(&format!("<pre>{language} &lt;a&gt;\n")), "{page}");
        assert!(!page.contains("<style>\n.a"), "its colours follow the page's: {page}");
    }
}

#[test]
fn a_quiz_has_its_answer_without_a_script() {
    let workspace = workspace();
    workspace.write_third_line("{{#quiz 02}}");
    assert_eq!(workspace.build().unwrap()[0].counts.questions, 1);
    let page = workspace.page("en/ch.html");
    for part in [
        "<p>What <em>is</em> asked?</p>",
        "name=\"quiz-02-1\" data-right",
        "<summary>Answer</summary>",
        "<strong><code>$ serve</code></strong>",
        "<p>Because.</p>",
    ] {
        assert!(page.contains(part), "no {part} in: {page}");
    }
}

#[rstest]
#[case::no_recording("{{#run 02/no}}", "there is no mdbook/recordings/02/no.txt")]
#[case::no_folder("{{#run hello}}", "a recording is named as in 02/hello, and this is \"hello\"")]
#[case::a_way_out("{{#run ../hello}}", "a recording is named as in 02/hello")]
#[case::no_diagram("{{#diagram 02/no}}", "there is no mdbook/recordings/02/no.en.svg")]
#[case::no_quiz("{{#quiz 03}}", "there is no quiz mdbook/quizzes/03.toml")]
fn what_is_not_there_is_a_mistake_that_names_the_line(#[case] line: &str, #[case] says: &str) {
    let workspace = workspace();
    workspace.write_third_line(line);
    let mistakes = workspace.mistakes();
    let says = format!("mdbook/src/en/ch.md:3: {says}");
    assert!(mistakes.len() == 1 && mistakes[0].starts_with(&says), "{mistakes:?}");
}

#[rstest]
#[case::the_right_answer_is_not_recorded(&quiz("four `reads`", "other"), "contradicts the choice")]
#[case::a_wrong_answer_is_recorded(&quiz("$ serve", "$ ask <1>"), "contradicts the choice")]
#[case::two_right_answers(&quiz("$ serve", "other").replace("不对'", "不对'\nright = true"), "exactly one")]
#[case::a_misspelt_key(&quiz("$ serve", "other").replace("why", "wy"), "unknown field `wy`")]
fn a_quiz_that_cannot_be_right_is_a_mistake(#[case] quiz: &str, #[case] says: &str) {
    let workspace = workspace();
    workspace.write("mdbook/quizzes/02.toml", quiz);
    workspace.write_third_line("{{#quiz 02}}");
    let mistakes = workspace.mistakes();
    assert!(mistakes.len() == 1 && mistakes[0].contains(says), "{mistakes:?}");
}

#[rstest]
#[case::another_heading(
    "# 一 {#one}\n\n## 二 {#zwei}\n\n{{#run 02/hello}}\n",
    3,
    "## #two where this one has ## #zwei"
)]
#[case::a_run_is_missing(
    "# 一 {#one}\n\n## 二 {#two}\n",
    1,
    "{{#run 02/hello}} where this one has nothing more"
)]
#[case::one_too_many(
    "# 一 {#one}\n\n## 二 {#two}\n\n{{#run 02/hello}}\n\n### 三\n",
    7,
    "nothing more where this one has ### #三"
)]
fn both_languages_show_the_same_in_the_same_order(
    #[case] chinese: &str,
    #[case] line: usize,
    #[case] says: &str,
) {
    let workspace = workspace();
    workspace.write("mdbook/src/en/ch.md", "# One\n\n## Two\n\n{{#run 02/hello}}\n");
    workspace.write("mdbook/src/zh-CN/SUMMARY.md", "# 一本小书\n\n- [一](ch.md)\n");
    workspace.write("mdbook/src/zh-CN/ch.md", chinese);
    let mistakes = workspace.mistakes();
    let says = format!("mdbook/src/zh-CN/ch.md:{line}: the English chapter has {says}");
    assert!(mistakes.len() == 1 && mistakes[0].starts_with(&says), "{mistakes:?}");
}

#[test]
fn a_dead_link_is_a_mistake() {
    let workspace = workspace();
    workspace.write_third_line("[here](#no) and [there](no.html), [fine](ch.html#one)");
    let error = workspace.build().unwrap_err().to_string();
    assert!(error.contains("en/ch.html: the link \"#no\" leads nowhere"), "{error}");
    assert!(error.contains("en/ch.html: the link \"no.html\" leads nowhere"), "{error}");
    assert!(!error.contains("#one"), "{error}");
}

#[test]
fn chinese_pages_speak_chinese() {
    let workspace = workspace();
    workspace.write("mdbook/src/zh-CN/SUMMARY.md", "# 一本小书\n\n- [一](ch.md)\n");
    workspace.write_third_line("> [!NOTE]\n> a");
    workspace.write("mdbook/src/zh-CN/ch.md", "# 一 {#one}\n\n> [!NOTE]\n> 甲\n");
    workspace.build().unwrap();
    let (english, chinese) = (workspace.page("en/ch.html"), workspace.page("zh-CN/ch.html"));
    for (there, here) in [
        ("</svg>Note</p>", "</svg>说明</p>"),
        ("placeholder=\"Search this book ...\"", "placeholder=\"搜索本书……\""),
        ("title=\"Change theme\"", "title=\"更换主题\""),
    ] {
        assert!(english.contains(there), "no {there} in {english}");
        assert!(chinese.contains(here) && !chinese.contains(there), "no {here} in {chinese}");
    }
}
