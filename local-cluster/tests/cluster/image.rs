//! A small image, pushed as clients push: busybox alone, as the layer of a `FROM scratch`.

use std::path::Path;

use pipe_oci::{
    Attributes, Descriptor, Digest, Format, ImageConfig, LayerWriter, Manifest, Platform,
};
use reqwest::StatusCode;

use crate::harness::Cluster;

/// The file of a busybox that needs no libraries.
pub(crate) fn busybox() -> Option<Vec<u8>> {
    let path = std::env::var("PATH").unwrap_or_default();
    let file =
        path.split(':').map(|folder| Path::new(folder).join("busybox")).find(|f| f.is_file())?;
    std::fs::read(file).ok()
}

/// Pushes an image with a page to the cluster's registry; the answer is what an app names.
pub(crate) async fn push(
    cluster: &Cluster,
    name: &str,
    page: &str,
    configure: impl FnOnce(&mut ImageConfig),
) -> String {
    let program = busybox().unwrap();
    let mut layer = LayerWriter::new(Vec::new(), 0);
    let executable = Attributes::root(0o755);
    for folder in ["bin", "etc", "srv"] {
        layer.folder(Path::new(folder), Attributes::FOLDER).unwrap();
    }
    layer.file(Path::new("bin/busybox"), executable, program.len() as u64, &program[..]).unwrap();
    for link in ["sh", "httpd", "sleep", "cat", "id", "ls", "env"] {
        layer.symlink(&Path::new("bin").join(link), executable, Path::new("busybox")).unwrap();
    }
    let passwd = b"root:x:0:0::/root:/bin/sh\nweb:x:1000:1000::/srv:/bin/sh\n";
    let file = Attributes::root(0o644);
    layer.file(Path::new("etc/passwd"), file, passwd.len() as u64, &passwd[..]).unwrap();
    layer.file(Path::new("srv/index.html"), file, page.len() as u64, page.as_bytes()).unwrap();
    let (layer, bytes) = layer.finish().unwrap();

    let mut config = ImageConfig::scratch(&Platform::host());
    config.rootfs.diff_ids.push(layer.diff_id);
    config.config.working_dir = "/srv".into();
    config.config.env = vec!["GREETING=from the image".into()];
    config.config.entrypoint = Some(vec!["/bin/httpd".into(), "-f".into(), "-p".into()]);
    config.config.cmd = Some(vec!["8080".into()]);
    configure(&mut config);
    let config = config.to_bytes();
    blob(cluster, name, &bytes, layer.digest).await;
    blob(cluster, name, &config, Digest::of(&config)).await;
    let format = Format::Docker;
    let described = |kind: &str, size: u64, digest| Descriptor::new(kind, size, digest);
    let manifest = Manifest::new(
        format,
        described(format.config(), config.len() as u64, Digest::of(&config)),
        vec![described(format.layer(), layer.size, layer.digest)],
    );
    let url = format!("http://{}/v2/{name}/manifests/1", cluster.running.registry);
    let request = cluster.client.put(url).header("Content-Type", format.manifest());
    let answer = request.body(manifest.to_bytes()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED, "{}", answer.text().await.unwrap());
    format!("{}/{name}:1", cluster.running.registry)
}

async fn blob(cluster: &Cluster, name: &str, bytes: &[u8], digest: Digest) {
    let base = format!("http://{}", cluster.running.registry);
    let begun =
        cluster.client.post(format!("{base}/v2/{name}/blobs/uploads/")).send().await.unwrap();
    assert_eq!(begun.status(), StatusCode::ACCEPTED);
    let location = begun.headers()["location"].to_str().unwrap();
    let url = format!("{base}{location}?digest={digest}");
    let kept = cluster.client.put(url).body(bytes.to_vec()).send().await.unwrap();
    assert_eq!(kept.status(), StatusCode::CREATED, "{}", kept.text().await.unwrap());
}
