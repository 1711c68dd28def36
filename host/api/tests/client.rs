//! The client against a server that says what a test tells it to, byte for byte.

use std::time::Duration;

use baton_api::client::{Client, ClientError, StartOptions};
use baton_api::page::PageRequest;
use baton_api::run::{RunFilter, RunStatus, StartRun};
use baton_api::{Problem, ProblemKind};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server that gives these answers, one a connection, and returns the requests.
async fn serve(answers: Vec<String>) -> (Client, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            requests.push(read_request(&mut stream).await);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        requests
    });
    (Client::new(&server, Some("secret")).unwrap(), task)
}

async fn read_request(stream: &mut tokio::net::TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        if let Some(head) = text.find("\r\n\r\n") {
            let length = text
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.lines().next());
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if request.len() >= head + 4 + length {
                return String::from_utf8(request).unwrap();
            }
        }
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "the client hung up within its request");
        request.extend_from_slice(&buffer[..count]);
    }
}

fn answer(status: &str, content_type: &str, more: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\nconnection: close\r\n{more}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn run(status: &str) -> Value {
    json!({
        "id": "0198", "status": status, "input": {}, "output": null, "error": null,
        "workflow": { "namespace": "it", "name": "hello", "version": "1.0.0", "digest": "ab" },
        "startedAt": "2026-11-24T08:00:00.000Z", "endedAt": null, "connectors": [], "tags": {}, "parent": null,
        "aMemberOfALaterVersion": 1,
    })
}

fn item(seq: u64, kind: &str) -> String {
    let data = json!({ "seq": seq, "at": "2026-11-24T08:00:00.000Z", "type": kind, "output": { "a": "b\n" } });
    format!("id: {seq}\nevent: {kind}\ndata: {data}\n\n")
}

#[tokio::test]
async fn sends_what_the_contract_says() {
    let body = run("completed").to_string();
    let (client, requests) = serve(vec![answer("200 OK", "application/json", "", &body)]).await;
    let start = StartRun {
        input: json!({ "name": "Ada" }),
        ..StartRun::default()
    };
    let options = StartOptions {
        idempotency_key: Some("once".to_owned()),
        wait: Some(Duration::from_millis(3_600_500)),
    };
    let run = client
        .start("it", "hel/lo", &start, &options)
        .await
        .unwrap();
    assert_eq!(run.summary.status, RunStatus::Completed);

    let request = &requests.await.unwrap()[0];
    assert!(
        request.starts_with("POST /v1/workflows/it/hel%2Flo/runs HTTP/1.1\r\n"),
        "{request}"
    );
    for header in [
        "authorization: Bearer secret",
        "idempotency-key: once",
        "prefer: wait=60",
        "content-type: application/json",
    ] {
        assert!(
            request.contains(&format!("\r\n{header}\r\n")),
            "{header} in {request}"
        );
    }
    assert!(
        request.ends_with(r#"{"input":{"name":"Ada"}}"#),
        "{request}"
    );
}

#[tokio::test]
async fn sends_filters_and_cursors() {
    let (client, requests) = serve(vec![answer(
        "200 OK",
        "application/json",
        "",
        r#"{"items":[],"next":"n"}"#,
    )])
    .await;
    let filter = RunFilter {
        status: Some(RunStatus::Faulted),
        tag: Some("team=a&b".to_owned()),
        ..RunFilter::default()
    };
    let page = client
        .runs(
            &filter,
            &PageRequest {
                cursor: Some("c".to_owned()),
                limit: Some(2),
            },
        )
        .await
        .unwrap();
    assert_eq!(page.next.as_deref(), Some("n"));
    let request = &requests.await.unwrap()[0];
    assert!(
        request.starts_with("GET /v1/runs?status=faulted&tag=team%3Da%26b&cursor=c&limit=2 "),
        "{request}"
    );
}

#[tokio::test]
async fn a_problem_comes_as_one() {
    let problem =
        serde_json::to_string(&Problem::new(ProblemKind::Busy, "1000 runs are open")).unwrap();
    let answers = vec![answer(
        "429 Too Many Requests",
        "application/problem+json; charset=utf-8",
        "retry-after: 7\r\n",
        &problem,
    )];
    let (client, _) = serve(answers).await;
    let error = client.run("1").await.unwrap_err();
    assert_eq!(error.to_string(), "1000 runs are open");
    let ClientError::Refused {
        problem,
        retry_after,
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(problem.kind(), Some(ProblemKind::Busy));
    assert_eq!(retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn what_is_no_baton_is_not_understood() {
    for answer in [
        answer("502 Bad Gateway", "text/html", "", "<h1>Bad Gateway</h1>"),
        answer("200 OK", "text/html", "", "<h1>Welcome</h1>"),
        answer(
            "302 Found",
            "text/html",
            "location: http://127.0.0.1:1/\r\n",
            "",
        ),
        answer("500 Oh", "application/problem+json", "", "{}"),
    ] {
        let (client, _) = serve(vec![answer.clone()]).await;
        let error = client.run("1").await.unwrap_err();
        assert!(
            matches!(error, ClientError::NotUnderstood { .. }),
            "{answer}: {error:?}"
        );
        assert!(error.to_string().contains("is it a Baton host"), "{error}");
    }
}

#[tokio::test]
async fn asks_nothing_under_a_name_that_leads_elsewhere() {
    let client = Client::new("http://127.0.0.1:1", None).unwrap();
    for name in ["", ".", ".."] {
        let error = client.run(name).await.unwrap_err();
        assert!(matches!(error, ClientError::NotAName), "{name}: {error:?}");
    }
}

#[tokio::test]
async fn says_which_server_does_not_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Client::new(&server, None)
        .unwrap()
        .run("1")
        .await
        .unwrap_err();
    assert!(
        matches!(error, ClientError::Unreachable { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains(&server), "{error}");
    assert!(
        error.to_string().to_lowercase().contains("refused"),
        "{error}"
    );
}

#[tokio::test]
async fn a_watch_goes_on_where_the_stream_broke_off() {
    let stream = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{body}"
        )
    };
    let half = item(3, "task.completed");
    let answers = vec![
        stream(&format!(
            ": hello\n\n{}{}{}",
            item(1, "workflow.started"),
            item(2, "task.started"),
            &half[..20]
        )),
        stream(&format!("{half}{}", item(4, "workflow.completed"))),
    ];
    let (client, requests) = serve(answers).await;
    let mut watch = client.watch("0198", None).await.unwrap();
    let mut seen = Vec::new();
    while let Some(item) = watch.next().await.unwrap() {
        assert_eq!(item.output, Some(json!({ "a": "b\n" })));
        seen.push(item.seq);
    }
    assert_eq!(seen, [1, 2, 3, 4]);
    let requests = requests.await.unwrap();
    assert!(!requests[0].contains("last-event-id"), "{}", requests[0]);
    assert!(
        requests[1].contains("\r\nlast-event-id: 2\r\n"),
        "{}",
        requests[1]
    );
}

#[tokio::test]
async fn a_watch_of_nothing_more_ends() {
    let answers = vec![
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
            .to_owned(),
        answer(
            "200 OK",
            "application/json",
            "",
            &run("faulted").to_string(),
        ),
    ];
    let (client, _) = serve(answers).await;
    let mut watch = client.watch("0198", Some(9)).await.unwrap();
    assert_eq!(watch.next().await.unwrap(), None);
}

#[tokio::test]
async fn a_watch_that_does_not_move_ends_in_an_error() {
    let answers = vec![
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
            .to_owned(),
        answer(
            "200 OK",
            "application/json",
            "",
            &run("running").to_string(),
        ),
    ];
    let (client, _) = serve(answers).await;
    let mut watch = client.watch("0198", None).await.unwrap();
    assert!(matches!(
        watch.next().await,
        Err(ClientError::Unreachable { .. })
    ));
}
