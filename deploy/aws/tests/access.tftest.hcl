# terraform test (1.11 or later): no account, no credentials; what the policies say is read from the plan.

mock_provider "aws" {
  override_during = plan

  mock_data "aws_iam_policy_document" {
    defaults = {
      json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
    }
  }
  mock_data "aws_region" {
    defaults = {
      name = "eu-west-1"
    }
  }
  mock_resource "aws_s3_bucket" {
    defaults = {
      arn = "arn:aws:s3:::council"
    }
  }
  mock_resource "aws_kms_key" {
    defaults = {
      arn    = "arn:aws:kms:eu-west-1:111122223333:key/1"
      key_id = "1"
    }
  }
}

variables {
  bucket            = "council"
  oidc_provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"
}

run "training_sees_no_document" {
  command = plan

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.access["training"].statement : alltrue([
        for resource in statement.resources : !can(regex("/(sessions|diffs)/", resource))
      ])
    ])
    error_message = "the role of trainings may touch sessions or diffs"
  }

  assert {
    condition = contains(flatten([
      for statement in data.aws_iam_policy_document.access["training"].statement : statement.resources if statement.sid == "Write"
    ]), "arn:aws:s3:::council/production/models/*")
    error_message = "the role of trainings cannot store an adapter"
  }
}

run "only_those_who_hold_text_open_the_keys_of_municipalities" {
  command = plan

  assert {
    condition = toset([
      for account, document in data.aws_iam_policy_document.access : account
      if contains([for statement in document.statement : statement.sid], "MunicipalityKeys")
    ]) == toset(["api", "code-location", "preparation", "training"])
    error_message = "the master key is open to others than those who need it"
  }
}

run "a_role_belongs_to_one_service_account" {
  command = plan

  assert {
    condition = alltrue([
      for account, document in data.aws_iam_policy_document.trust : anytrue([
        for condition in document.statement[0].condition :
        condition.variable == "oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub"
        && condition.values == tolist(["system:serviceaccount:astra-learn:astra-learn-${account}"])
      ])
    ])
    error_message = "a role can be taken by another service account"
  }
}

run "an_upload_that_names_another_encryption_is_denied_and_one_that_names_none_is_not" {
  command = plan

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.bucket.statement :
      toset([for condition in statement.condition : condition.test]) == toset(["Null", "StringNotEquals"])
      if contains(["DenyUnencrypted", "DenyOtherKeys"], statement.sid)
    ])
    error_message = "StringNotEquals without Null also denies what the bucket's default would encrypt"
  }
}

run "core_reads_models_alone" {
  command = plan

  variables {
    core = { namespace = "core", service_account = "core" }
  }

  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.access["core"].statement : statement.resources if statement.sid == "Read"
    ])) == toset(["arn:aws:s3:::council/production/models/*", "arn:aws:s3:::council/production/health/*"])
    error_message = "CORE may read more than models"
  }
}

run "an_erased_document_cannot_stay_for_longer_than_a_month" {
  command = plan

  variables {
    deleted_days = 90
  }

  expect_failures = [var.deleted_days]
}
