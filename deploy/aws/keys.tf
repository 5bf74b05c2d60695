# Two keys: who may read the bucket's bytes is not thereby who may open a municipality's own key.

resource "aws_kms_key" "objects" {
  description         = "${var.name}: objects in s3://${var.bucket}"
  enable_key_rotation = true
  tags                = var.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "objects" {
  name          = "alias/${var.name}-objects"
  target_key_id = aws_kms_key.objects.key_id
}

# Wraps the municipalities' keys. Old wrappings open after a rotation too: AWS keeps the old material.
resource "aws_kms_key" "master" {
  description             = "${var.name}: wraps the municipalities' keys"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  tags                    = var.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "master" {
  name          = "alias/${var.name}-master"
  target_key_id = aws_kms_key.master.key_id
}
