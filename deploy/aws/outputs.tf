output "helm_values" {
  description = "Values for the chart: bucket, keys and roles."
  value = yamlencode({
    objectStore = {
      url    = "s3://${aws_s3_bucket.this.id}/${var.prefix}"
      region = data.aws_region.current.name
    }
    encryption = {
      objectStoreKmsKey = aws_kms_key.objects.arn
      masterKeyKms      = aws_kms_key.master.arn
    }
    mlflow = { artifactRoot = "s3://${aws_s3_bucket.this.id}/${var.prefix}/mlflow" }
    serviceAccounts = {
      annotations = { for account in keys(local.accounts) : account => {
        "eks.amazonaws.com/role-arn" = aws_iam_role.this[account].arn
      } }
    }
  })
}

output "core_role" {
  description = "Role for CORE's service account, where var.core names one."
  value       = var.core == null ? null : aws_iam_role.this["core"].arn
}
