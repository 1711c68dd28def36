//! Expressions and what comes of them: a table, held against the plain Rust form of the contract.

use jq::{Filter, SyntaxError};

/// Evaluates with the variables `$context` = `{"user":"ada","n":7}` and `$input` = `[1,2,3]`.
fn evaluate(source: &str, input: &str) -> Result<String, String> {
    let variables = ["context".to_owned(), "input".to_owned()];
    let filter = Filter::compile(source, &variables).map_err(|error| error.message)?;
    filter.evaluate(input, &[r#"{"user":"ada","n":7}"#, "[1,2,3]"])
}

fn syntax_error(source: &str) -> SyntaxError {
    Filter::compile(source, &["context".to_owned()])
        .err()
        .expect("the source should be refused")
}

#[test]
fn expressions_yield() {
    let table: &[(&str, &str, &str)] = &[
        // Paths.
        (".", r#"{"a":1}"#, r#"{"a":1}"#),
        (".a.b[1]", r#"{"a":{"b":[1,2]}}"#, "2"),
        (".missing.deeper", "{}", "null"),
        (".a[1:]", r#"{"a":[1,2,3]}"#, "[2,3]"),
        (".[\"with space\"]", r#"{"with space":1}"#, "1"),
        // Variables.
        ("$context.user", "null", r#""ada""#),
        ("$input | add", "null", "6"),
        (
            "{ user: $context.user, count: ($input | length) }",
            "null",
            r#"{"user":"ada","count":3}"#,
        ),
        // Construction keeps the order of keys.
        (
            "{ z: 1, a: 2 } + { m: 3 }",
            "null",
            r#"{"z":1,"a":2,"m":3}"#,
        ),
        (
            ". * { a: { c: 2 } }",
            r#"{"a":{"b":1}}"#,
            r#"{"a":{"b":1,"c":2}}"#,
        ),
        // Numbers: integers keep their digits, whole results have no fraction.
        (".", "9007199254740993", "9007199254740993"),
        (". + 1", "9007199254740993", "9007199254740994"),
        (". * .", "4294967296", "18446744073709551616"),
        ("6 / 2", "null", "3"),
        ("7 / 2", "null", "3.5"),
        ("10 * 0.5", "null", "5"),
        (".", "1.0", "1.0"),
        ("\"\\(6 / 2) of \\(.n)\"", r#"{"n":4.50}"#, r#""3 of 4.50""#),
        ("[6 / 2 | tostring, tojson]", "null", r#"["3","3"]"#),
        ("7 % 3", "null", "1"),
        (
            "[1.5, -2.5 | floor, ceil, round]",
            "null",
            "[1,2,2,-3,-2,-3]",
        ),
        // Strings.
        (
            "\"Hello, \\(.name)!\"",
            r#"{"name":"Ada"}"#,
            r#""Hello, Ada!""#,
        ),
        ("ascii_downcase | ascii_upcase", r#""aÖ""#, r#""AÖ""#),
        ("split(\" \") | join(\"-\")", r#""a b c""#, r#""a-b-c""#),
        ("test(\"^a.c$\")", r#""abc""#, "true"),
        (
            "capture(\"(?<y>\\\\d+)-(?<m>\\\\d+)\")",
            r#""2026-11""#,
            r#"{"y":"2026","m":"11"}"#,
        ),
        ("gsub(\"[aeiou]\"; \"*\")", r#""onboard""#, r#""*nb**rd""#),
        ("[scan(\"[a-z]+\")]", r#""ab 1 cd""#, r#"["ab","cd"]"#),
        ("@base64", r#""hi""#, r#""aGk=""#),
        ("@base64d", r#""aGk=""#, r#""hi""#),
        (
            "@uri \"https://x/?q=\\(.)\"",
            r#""a b&c""#,
            r#""https://x/?q=a%20b%26c""#,
        ),
        ("@csv", r#"["a\"b",1,null,true]"#, r#""\"a\"\"b\",1,,true""#),
        ("@tsv", r#"["a\tb","c\\d",2]"#, r#""a\\tb\tc\\\\d\t2""#),
        ("@json", r#"{"a":[1,2.0]}"#, r#""{\"a\":[1,2.0]}""#),
        ("fromjson", r#""{\"a\":1}""#, r#"{"a":1}"#),
        ("ltrimstr(\"a\") | rtrimstr(\"c\")", r#""abc""#, r#""b""#),
        ("trimstr(\"x\")", r#""xbx""#, r#""b""#),
        ("ascii", "65", r#""A""#),
        (
            "[(explode | reverse | implode), utf8bytelength]",
            r#""aé""#,
            r#"["éa",3]"#,
        ),
        // Arrays and objects.
        ("map(select(. > 1))", "[1,2,3]", "[2,3]"),
        ("sort_by(.n) | map(.n)", r#"[{"n":2},{"n":1}]"#, "[1,2]"),
        (
            "group_by(.g) | map(length)",
            r#"[{"g":1},{"g":2},{"g":1}]"#,
            "[2,1]",
        ),
        ("unique", "[3,1,3]", "[1,3]"),
        ("to_entries", r#"{"a":1}"#, r#"[{"key":"a","value":1}]"#),
        (
            "from_entries",
            r#"[{"name":"a","value":1},{"k":"b","v":2},{"key":3,"value":null}]"#,
            r#"{"a":1,"b":2,"3":null}"#,
        ),
        ("with_entries(.value += 1)", r#"{"a":1}"#, r#"{"a":2}"#),
        ("INDEX(.id)", r#"[{"id":1}]"#, r#"{"1":{"id":1}}"#),
        ("IN(1, 2)", "2", "true"),
        ("[any(. > 2), all(. > 0)]", "[1,2]", "[false,true]"),
        ("min_by(.n).n", r#"[{"n":2},{"n":1}]"#, "1"),
        ("flatten", "[1,[2,[3]]]", "[1,2,3]"),
        (
            "paths(type == \"number\")",
            r#"{"a":{"b":1}}"#,
            r#"["a","b"]"#,
        ),
        ("del(.a)", r#"{"a":1,"b":2}"#, r#"{"b":2}"#),
        (
            ".items[].n |= . * 2",
            r#"{"items":[{"n":1},{"n":2}]}"#,
            r#"{"items":[{"n":2},{"n":4}]}"#,
        ),
        // Changes create what is missing, and keep the order of what is left.
        (".a.b.c = 1", "{}", r#"{"a":{"b":{"c":1}}}"#),
        (".a[2].b = 1", "null", r#"{"a":[null,null,{"b":1}]}"#),
        (".a = .b", r#"{"b":2}"#, r#"{"b":2,"a":2}"#),
        (
            ".a += 1 | .b -= 1 | .a *= 3",
            r#"{"a":1,"b":1}"#,
            r#"{"a":6,"b":0}"#,
        ),
        (".a //= 7", "{}", r#"{"a":7}"#),
        (".a += .b", r#"{"b":[1]}"#, r#"{"b":[1],"a":[1]}"#),
        (".[-1] = 9", "[1,2]", "[1,9]"),
        (".[1:3] = [\"x\"]", "[1,2,3,4]", r#"[1,"x",4]"#),
        ("(.a, .b) |= . + 1", r#"{"a":1,"b":2}"#, r#"{"a":2,"b":3}"#),
        ("(.[] | select(. > 1)) |= empty", "[1,2,3,1]", "[1,1]"),
        (".. |= (numbers |= . + 1)", "[1,[2]]", "[2,[3]]"),
        ("(.a | .b) = 1", "{}", r#"{"a":{"b":1}}"#),
        ("[.a = (1, 2)]", "{}", r#"[{"a":1},{"a":2}]"#),
        (
            "del(.a, .c.d)",
            r#"{"a":1,"b":2,"c":{"d":1,"e":2}}"#,
            r#"{"b":2,"c":{"e":2}}"#,
        ),
        ("del(.x.y, .[\"z\"])", r#"{"a":1}"#, r#"{"a":1}"#),
        ("del(.[0, 2])", "[1,2,3]", "[2]"),
        ("del(.[1:])", "[1,2,3]", "[1]"),
        ("setpath([\"a\",0]; 1)", "null", r#"{"a":[1]}"#),
        ("delpaths([[\"a\"]])", r#"{"a":1,"b":2}"#, r#"{"b":2}"#),
        ("map_values(. + 1)", r#"{"a":1}"#, r#"{"a":2}"#),
        (
            "fromstream(tostream)",
            r#"{"a":[1,{"b":2}]}"#,
            r#"{"a":[1,{"b":2}]}"#,
        ),
        (
            "[1 | truncate_stream([[0],1],[[1,0],2],[[1,0]],[[1]])]",
            "null",
            "[[[0],2],[[0]]]",
        ),
        (
            "walk(if type == \"number\" then . + 1 end)",
            "[1,[2]]",
            "[2,[3]]",
        ),
        ("reduce .[] as $x (0; . + $x)", "[1,2,3]", "6"),
        ("[limit(2; .[])]", "[1,2,3]", "[1,2]"),
        ("first(.[] | select(. > 1))", "[1,2,3]", "2"),
        ("[range(0; 6; 2)]", "null", "[0,2,4]"),
        ("toarray", "1", "[1]"),
        // Control.
        (
            "if . > 1 then \"many\" elif . == 1 then \"one\" else \"none\" end",
            "1",
            r#""one""#,
        ),
        (".a // \"default\"", r#"{"a":null}"#, r#""default""#),
        ("try error(\"x\") catch .", "null", r#""x""#),
        (".a?", "1", "null"),
        (
            "[.[] as [$a, {b: $b}] | $a + $b]",
            r#"[[1,{"b":2}]]"#,
            "[3]",
        ),
        ("empty", "1", "null"),
        ("def double: . * 2; map(double)", "[1,2]", "[2,4]"),
        (
            "label $out | .[] | if . > 1 then ., break $out else empty end",
            "[1,2,3]",
            "2",
        ),
        // Dates are UTC, and go beyond 2038.
        ("todate", "1785000000", r#""2026-07-25T17:20:00Z""#),
        ("fromdate", r#""2040-01-01T00:00:00Z""#, "2208988800"),
        ("todate", "2208988800", r#""2040-01-01T00:00:00Z""#),
        ("strftime(\"%Y-%m-%d\")", "2208988800", r#""2040-01-01""#),
        (
            "strptime(\"%Y-%m-%d\") | mktime",
            r#""2040-01-02""#,
            "2209075200",
        ),
        (
            "dateadd(\"seconds\"; 60) | date",
            "0",
            r#""1970-01-01T00:01:00Z""#,
        ),
    ];
    for (source, input, expected) in table {
        assert_eq!(
            evaluate(source, input).as_deref(),
            Ok(*expected),
            "{source} on {input}"
        );
    }
}

#[test]
fn expressions_fail_with_a_message() {
    let table: &[(&str, &str, &str)] = &[
        ("error(\"no such role\")", "null", "no such role"),
        ("error({ code: 7 })", "null", r#"{"code":7}"#),
        (".a", "1", "cannot index 1 with \"a\""),
        (".a.b = 1", r#"{"a":7}"#, "cannot index 7 with \"b\""),
        (
            ".[-3] = 1",
            "[1]",
            "index -3 lies before the start of the array",
        ),
        (".[1:] = 1", "[1]", "cannot use 1 as array"),
        (". + 1", r#""a""#, "cannot calculate \"a\" + 1"),
        (".[]", "1", "cannot use 1 as iterable"),
        (".[]", "[1,2]", "more than one value"),
        ("1, error(\"late\")", "null", "late"),
        ("fromjson", r#""{""#, "cannot parse"),
        ("tonumber", r#""x""#, "cannot parse"),
        ("1 / 0", "null", "the result holds Infinity"),
        ("[nan]", "null", "the result holds NaN"),
        ("{ (1 | tojson | tonumber): 2 }", "null", "the key 1"),
        ("tobytes", r#""a""#, "the result holds bytes"),
        ("@csv", "[[1]]", "array ([1]) is not valid in a csv row"),
        ("test(\"(\")", r#""a""#, "regex"),
        ("split(1)", r#""a""#, "separator must be strings"),
    ];
    for (source, input, expected) in table {
        let error = evaluate(source, input).expect_err(source);
        assert!(error.contains(expected), "{source} on {input}: {error}");
    }
}

#[test]
fn a_message_is_cut_to_a_bounded_size() {
    let long = format!("{:?}", "ü".repeat(5000));
    let error = evaluate(". + 1", &long).unwrap_err();
    assert!(
        error.len() < jq::filter::MESSAGE_BYTES_MAX + 8 && error.ends_with('…'),
        "{error}"
    );
}

#[test]
fn sources_that_are_no_expression_are_refused_with_a_place() {
    let table: &[(&str, (usize, usize), &str)] = &[
        ("", (0, 0), "expected an expression, but the text ends here"),
        (
            ".a |",
            (4, 4),
            "expected an expression, but the text ends here",
        ),
        (
            ".a | map(.b",
            (11, 11),
            "the text ends here, and the bracket `(` is not closed",
        ),
        (
            "\"abc",
            (4, 4),
            "the text ends here, and the string `\"` is not closed",
        ),
        (
            "\"a\\qb\"",
            (3, 4),
            "expected string escape sequence, but `q` stands here",
        ),
        (
            ".a & .b",
            (3, 4),
            "`&` stands here, which begins nothing in jq",
        ),
        (
            ".a .b c",
            (6, 7),
            "expected the end of the expression, but found `c`",
        ),
        (
            "if . then 1",
            (11, 11),
            "expected else or end, but the text ends here",
        ),
        (
            "{a: 1",
            (5, 5),
            "the text ends here, and the bracket `{` is not closed",
        ),
        ("pam(.a)", (0, 3), "there is no function `pam`"),
        (
            "\"é\" | lenght",
            (7, 13),
            "there is no function `lenght`: did you mean `length`?",
        ),
        (
            "map(.a; .b)",
            (0, 3),
            "the function `map` takes 1 arguments, and is given 2",
        ),
        (
            "$contxt.a",
            (0, 7),
            "there is no variable `$contxt` here: did you mean `$context`?",
        ),
        (
            ". + $foo",
            (4, 8),
            "there is no variable `$foo` here: there are $context",
        ),
        (
            "break $out",
            (6, 10),
            "there is no `label $out` around this `break`",
        ),
    ];
    for (source, (start, end), message) in table {
        let error = syntax_error(source);
        let found = (error.message.as_str(), error.start, error.end);
        assert_eq!(found, (*message, *start, *end), "{source}");
    }
}

#[test]
fn what_could_differ_next_time_is_left_out_and_says_so() {
    for (name, instead) in jq::library::LEFT_OUT {
        let sources = [(*name).to_owned(), format!("[.[] | {{ a: {name} }}]")];
        for source in sources {
            let error = syntax_error(&source);
            assert_eq!(
                error.message,
                format!("`{name}` is not available in workflows: {instead}"),
                "{source}"
            );
            assert_eq!(&source[error.start..error.end], *name);
        }
    }
}

#[test]
fn a_filter_is_given_as_many_values_as_it_has_variables() {
    let filter = Filter::compile(".", &["a".to_owned()]).unwrap();
    assert!(
        filter
            .evaluate("1", &[])
            .unwrap_err()
            .contains("1 variables and given 0")
    );
    assert!(
        filter
            .evaluate("{", &["1"])
            .unwrap_err()
            .contains("no JSON")
    );
}
