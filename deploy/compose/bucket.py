"""Make the bucket, if it is not there."""

import boto3

store = boto3.client("s3")
if "astra-learn" not in [bucket["Name"] for bucket in store.list_buckets()["Buckets"]]:
    store.create_bucket(Bucket="astra-learn")
