//! The folders of tasks.

use reqwest::Method;
use serde_json::json;

use crate::harness::Cluster;

#[tokio::test]
async fn a_tasks_files_are_read_in_pieces_and_nothing_else_is() {
    let cluster = Cluster::new();
    let app = json!({ "cmd": "printf 0123456789; mkdir sub; ln -s /etc/passwd out; ln -s stdout in; exec sleep 1000" });
    cluster.deploy("/a", &app).await;
    cluster.settled().await;
    let id = cluster.app("/a").await["tasks"][0]["id"].as_str().unwrap().to_owned();
    let path = |rest: &str| format!("/files/read?path=/tasks/{id}/{rest}");
    while cluster.get(&path("stdout&offset=-1")).await["offset"] != 10 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let read = cluster.get(&path("stdout&offset=4&length=3")).await;
    assert_eq!(read, json!({ "data": "456", "offset": 4 }));
    let rest = cluster.get(&path("stdout&offset=8")).await;
    assert_eq!(rest, json!({ "data": "89", "offset": 8 }));
    assert_eq!(cluster.get(&path("stdout&offset=99&length=9")).await["data"], "");
    loop {
        let found = cluster.ask(Method::GET, &path("in&offset=0"), None).await;
        if found.status == 200 {
            assert_eq!(found.body["data"], "0123456789");
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let listed = cluster.get(&format!("/files/browse?path=/tasks/{id}")).await;
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap()).collect();
    assert!(names.contains(&format!("/tasks/{id}/stderr").as_str()), "{names:?}");
    let folder =
        listed.as_array().unwrap().iter().find(|f| f["path"] == format!("/tasks/{id}/sub"));
    assert!(folder.unwrap()["mode"].as_str().unwrap().starts_with('d'));

    for (path, status) in [
        (path("out&offset=0"), 404),
        (path("../../state.json&offset=0"), 404),
        (path("none&offset=0"), 404),
        ("/files/read?path=/tasks/../state.json&offset=0".to_owned(), 404),
        ("/files/read?path=/etc/passwd&offset=0".to_owned(), 404),
        ("/files/read?path=/tasks/none/stdout&offset=0".to_owned(), 404),
        ("/files/read".to_owned(), 400),
        (path("sub&offset=0"), 400),
        (path("stdout&offset=-2"), 400),
        (path("stdout&offset=x"), 400),
    ] {
        assert_eq!(cluster.ask(Method::GET, &path, None).await.status, status, "{path}");
    }
}
