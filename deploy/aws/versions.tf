# What ASTRA-LEARN needs of AWS, beside a cluster (EKS with an OIDC provider), Postgres and Redis: a bucket, two
# keys, a role for each service account of the chart, and the VPC's own ways to S3, KMS and STS.
#
#   terraform init && terraform apply -var-file=production.tfvars
#   terraform output -raw helm_values > aws.yaml     # helm install … -f values-aws-t4.yaml -f aws.yaml

terraform {
  required_version = ">= 1.6"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.80"
    }
  }
}

data "aws_region" "current" {}
