# One role a service account (IRSA), with the folders of the bucket that its pods use and no others.

locals {
  issuer = regex(":oidc-provider/(.+)$", var.oidc_provider_arn)[0]

  # service account -> what it does in which folder; `master`: whether it opens municipalities' keys
  accounts = {
    api = {
      read   = ["sessions", "diffs", "models"]
      write  = ["sessions", "diffs"]
      delete = []
      master = true
    }
    # sensors, and an operator's commands: erasing a municipality is one
    code-location = {
      read   = ["sessions", "diffs", "datasets", "models"]
      write  = ["sessions", "diffs", "datasets", "models"]
      delete = ["sessions", "diffs", "datasets", "models"]
      master = true
    }
    webserver = {
      read   = ["compute-logs"]
      write  = []
      delete = []
      master = false
    }
    daemon = {
      read   = ["compute-logs"]
      write  = []
      delete = []
      master = false
    }
    preparation = {
      read   = ["sessions", "diffs", "datasets", "compute-logs"]
      write  = ["diffs", "datasets", "compute-logs"]
      delete = ["diffs", "datasets"]
      master = true
    }
    # it sees no document, only what was anonymized
    training = {
      read   = ["datasets", "models", "mlflow", "smoke", "compute-logs"]
      write  = ["datasets", "models", "mlflow", "smoke", "compute-logs"]
      delete = ["models", "smoke"]
      master = true
    }
  }

  subjects = merge(
    { for account in keys(local.accounts) : account => "system:serviceaccount:${var.namespace}:${var.name}-${account}" },
    var.core == null ? {} : { core = "system:serviceaccount:${var.core.namespace}:${var.core.service_account}" },
  )

  grants = merge(
    local.accounts,
    var.core == null ? {} : { core = { read = ["models"], write = [], delete = [], master = false } },
  )
}

data "aws_iam_policy_document" "trust" {
  for_each = local.subjects

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [var.oidc_provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = [each.value]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = local.subjects

  name                 = "${var.name}-${each.key}"
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  max_session_duration = 43200
  tags                 = var.tags
}

data "aws_iam_policy_document" "access" {
  for_each = local.grants

  # Without it S3 answers 403, not 404, for an object that is not there.
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.this.arn]
  }

  statement {
    sid       = "Read"
    actions   = ["s3:GetObject"]
    resources = [for folder in concat(each.value.read, ["health"]) : "${aws_s3_bucket.this.arn}/${var.prefix}/${folder}/*"]
  }

  dynamic "statement" {
    for_each = length(each.value.write) > 0 ? [each.value.write] : []

    content {
      sid       = "Write"
      actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
      resources = [for folder in statement.value : "${aws_s3_bucket.this.arn}/${var.prefix}/${folder}/*"]
    }
  }

  dynamic "statement" {
    for_each = length(each.value.delete) > 0 ? [each.value.delete] : []

    content {
      sid       = "Delete"
      actions   = ["s3:DeleteObject"]
      resources = [for folder in statement.value : "${aws_s3_bucket.this.arn}/${var.prefix}/${folder}/*"]
    }
  }

  statement {
    sid       = "BucketKey"
    actions   = length(each.value.write) > 0 ? ["kms:Decrypt", "kms:GenerateDataKey"] : ["kms:Decrypt"]
    resources = [aws_kms_key.objects.arn]
  }

  dynamic "statement" {
    for_each = each.value.master ? [1] : []

    content {
      sid       = "MunicipalityKeys"
      actions   = ["kms:Encrypt", "kms:Decrypt"]
      resources = [aws_kms_key.master.arn]

      condition {
        test     = "StringEquals"
        variable = "kms:EncryptionContext:purpose"
        values   = ["astra-learn-tenant-key"]
      }
    }
  }
}

resource "aws_iam_role_policy" "this" {
  for_each = local.grants

  name   = "access"
  role   = aws_iam_role.this[each.key].id
  policy = data.aws_iam_policy_document.access[each.key].json
}
