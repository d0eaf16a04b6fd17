//! Content in a bucket that is, or is not, the tenant's to delete: copies of a database name the same clients.

use docket_contract::ContentOwner;
use docket_crds::{ConditionType, annotations};
use docket_fault_matrix::ObjectStore;
use serde_json::json;

use crate::cluster::Cluster;
use crate::postgres::Postgres;
use crate::workloads::deleting;

const DELETED: &str = "2026-11-29T12:00:00Z";

fn is_gone(cluster: &Cluster) -> bool {
    let finalizers = cluster.tenant().metadata.finalizers;
    finalizers.unwrap_or_default().is_empty()
}

/// Deletes the tenant, and sees that this waits, for `reason`.
async fn expect_to_wait(cluster: &Cluster, type_: ConditionType, reason: &str) -> String {
    cluster.change(json!({"metadata": {"deletionTimestamp": DELETED}}));
    for _ in 0..2 {
        cluster.reconcile().await.expect("it is the user's turn");
    }
    let (status, found, message) = cluster.condition(type_);
    assert_eq!((&*status, &*found), ("False", reason), "{message}");
    assert!(!is_gone(cluster));
    let told = |(event, _): &(String, String)| event == reason;
    assert!(cluster.events().iter().any(told), "{:?}", cluster.events());
    message
}

/// A tenant with content that says that it is another database's.
async fn cloned(
    folder: &tempfile::TempDir,
) -> (Postgres, ObjectStore, Cluster, [String; 2], ContentOwner) {
    let (postgres, objects, cluster, schemas) = deleting(folder).await;
    let original = ContentOwner::new("7412345678901234567-5", "uid-of-the-original");
    for schema in &schemas {
        objects.put_owner(schema, &original).expect("written");
    }
    (postgres, objects, cluster, schemas, original)
}

#[tokio::test]
async fn a_deleted_copy_leaves_the_content_of_the_original_until_it_is_taken_over_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let (postgres, objects, cluster, schemas, original) = cloned(&folder).await;
    let reason = "ContentOwnedByAnother";
    let message = expect_to_wait(&cluster, ConditionType::CredentialsReady, reason).await;
    let asked = format!("{}={original}", annotations::TAKE_OVER_CONTENT);
    assert!(message.contains(&asked), "{message}");
    assert!(schemas.iter().all(|schema| objects.has(schema)));
    let rows = "SELECT count(*) FROM docket.clients WHERE state = 'Active'";
    assert_eq!(postgres.number(rows).await, 2);

    let wrong = json!({annotations::TAKE_OVER_CONTENT: "7412345678901234567-5/another/0"});
    cluster.change(json!({"metadata": {"annotations": wrong}}));
    cluster.reconcile().await.expect("it is the user's turn");
    assert!(schemas.iter().all(|schema| objects.has(schema)));

    let right = json!({annotations::TAKE_OVER_CONTENT: original.to_string()});
    cluster.change(json!({"metadata": {"annotations": right}}));
    cluster.reconcile().await.expect("it goes");
    assert!(is_gone(&cluster));
    assert!(!schemas.iter().any(|schema| objects.has(schema)));
    assert!(schemas.iter().all(|schema| objects.owner(schema).is_none()));
}

#[tokio::test]
async fn a_client_that_is_taken_out_of_a_copy_leaves_the_content_of_the_original() {
    let folder = tempfile::tempdir().expect("a folder");
    let (postgres, objects, cluster, [globex, initech], original) = cloned(&folder).await;
    let ours = ContentOwner::new(&postgres.name_of_itself().await, "u");
    objects.put_owner(&initech, &ours).expect("written");
    cluster.change(json!({"spec": {"clients": [{"name": "hooli"}]}}));
    for _ in 0..3 {
        cluster.reconcile().await.expect("it is the user's turn");
    }
    let (_, reason, message) = cluster.condition(ConditionType::CredentialsReady);
    assert_eq!(reason, "ContentOwnedByAnother");
    assert!(message.contains(&original.to_string()), "{message}");
    assert!(objects.has(&globex));
    assert!(!objects.has(&initech), "the other one does not wait for it");

    let given_up = json!({annotations::GIVE_UP: globex});
    cluster.change(json!({"metadata": {"annotations": given_up}}));
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    assert!(objects.has(&globex));
    assert_eq!(cluster.tenant().status.expect("a status").clients.len(), 1);
}

#[tokio::test]
async fn documents_that_are_taken_out_of_a_copy_leave_the_content_of_the_original() {
    let folder = tempfile::tempdir().expect("a folder");
    let (postgres, objects, cluster, schemas, _) = cloned(&folder).await;
    cluster.change(json!({"spec": {"workloads": {"documents": null, "pageViews": {}}}}));
    for _ in 0..2 {
        cluster.reconcile().await.expect("it is the user's turn");
    }
    let (_, reason, _) = cluster.condition(ConditionType::CredentialsReady);
    assert_eq!(reason, "ContentOwnedByAnother");
    assert!(schemas.iter().all(|schema| objects.has(schema)));
    let tables = "SELECT count(*) FROM pg_tables WHERE tablename = 'document_metadata'";
    assert_eq!(postgres.number(tables).await, 2);
}

#[tokio::test]
async fn content_of_which_nothing_says_whose_it_is_is_deleted_only_when_somebody_says_that_it_is_nobodys()
 {
    let folder = tempfile::tempdir().expect("a folder");
    let (_postgres, objects, cluster, schemas) = deleting(&folder).await;
    for schema in &schemas {
        objects.remove_owner(schema).expect("removed");
    }
    let reason = "ContentOwnerUnknown";
    expect_to_wait(&cluster, ConditionType::CredentialsReady, reason).await;
    assert!(schemas.iter().all(|schema| objects.has(schema)));
    let nobody = json!({annotations::TAKE_OVER_CONTENT: "nobody"});
    cluster.change(json!({"metadata": {"annotations": nobody}}));
    cluster.reconcile().await.expect("it goes");
    assert!(is_gone(&cluster));
    assert!(!schemas.iter().any(|schema| objects.has(schema)));
}

#[tokio::test]
async fn content_of_clients_that_are_retained_says_that_it_was_let_go_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_postgres, objects, cluster, schemas) = deleting(&folder).await;
    cluster.change(json!({"spec": {"database": {"deletionPolicy": "Retain"}},
        "metadata": {"deletionTimestamp": DELETED}}));
    for _ in 0..2 {
        cluster.reconcile().await.expect("it goes");
    }
    assert!(is_gone(&cluster));
    for schema in &schemas {
        assert!(objects.has(schema));
        assert!(objects.owner(schema).expect("an owner").retained);
    }
}

#[tokio::test]
async fn what_servers_refuse_to_delete_is_told_to_the_user_who_is_served_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let (postgres, _objects, cluster, [globex, _]) = deleting(&folder).await;
    postgres
        .run(&format!(
            "INSERT INTO {globex}.maintenance_tasks (name, due, refused, refused_because) VALUES \
             ('sweep', now(), 'ContentOwnedByAnother', '7412-5/u/0'), ('purge', now(), 'ContentOwnedByAnother', '7412-5/u/0'), \
             ('later', now(), 'OfAnotherRelease', '')"
        ))
        .await;
    cluster.settle().await;
    let (status, reason, message) = cluster.condition(ConditionType::CredentialsReady);
    assert_eq!((&*status, &*reason), ("True", "ContentOwnedByAnother"));
    assert!(message.contains("client globex"), "{message}");
    assert_eq!(message.matches("7412-5/u/0").count(), 2, "{message}");
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    let told = |(event, _): &(String, String)| event == "ContentOwnedByAnother";
    assert_eq!(cluster.events().iter().filter(|it| told(it)).count(), 1);
    postgres
        .run(&format!(
            "UPDATE {globex}.maintenance_tasks SET refused = NULL"
        ))
        .await;
    cluster.settle().await;
    assert_eq!(
        cluster.condition(ConditionType::CredentialsReady).1,
        "Issued"
    );
}

#[tokio::test]
async fn another_endpoint_is_followed_where_the_content_is_there_or_none_was_stored() {
    let folder = tempfile::tempdir().expect("a folder");
    let (postgres, objects, cluster, schemas) = deleting(&folder).await;
    let elsewhere = tempfile::tempdir().expect("a folder");
    let other = ObjectStore::start(elsewhere.path()).expect("a server");
    other.listens().await.expect("a server");
    let endpoint = |store: &ObjectStore| json!({"spec": {"workloads": {"documents": {"storage": {"s3": {"endpoint": store.endpoint()}}}}}});
    cluster.change(endpoint(&other));
    cluster.settle().await;
    assert_eq!(
        cluster.condition(ConditionType::Ready).0,
        "True",
        "nothing is counted as stored"
    );

    postgres
        .run(&format!("UPDATE {}.usage SET amount = 1", schemas[0]))
        .await;
    cluster.change(endpoint(&objects));
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    cluster.change(endpoint(&other));
    cluster.reconcile().await.expect("it is the user's turn");
    let (_, reason, message) = cluster.condition(ConditionType::DatabaseReady);
    assert_eq!(reason, "ContentElsewhere");
    assert!(message.contains(&objects.endpoint()), "{message}");

    cluster.change(json!({"metadata": {"deletionTimestamp": DELETED}}));
    for _ in 0..2 {
        cluster.reconcile().await.expect("it goes");
    }
    assert!(is_gone(&cluster));
    let is_left = schemas.iter().any(|schema| objects.has(schema));
    assert!(!is_left, "what is behind the endpoint of before is found");
}
