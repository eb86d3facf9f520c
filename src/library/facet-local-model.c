#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-local-model-private.h"

struct _FacetLocalModel {
  GObject       parent_instance;

  FacetScanned *scanned;
  char         *title;
};

G_DEFINE_FINAL_TYPE (FacetLocalModel, facet_local_model, G_TYPE_OBJECT)

static void
facet_local_model_finalize (GObject *object)
{
  FacetLocalModel *self = FACET_LOCAL_MODEL (object);

  g_clear_pointer (&self->scanned, facet_scanned_free);
  g_free (self->title);
  G_OBJECT_CLASS (facet_local_model_parent_class)->finalize (object);
}

static void
facet_local_model_class_init (FacetLocalModelClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = facet_local_model_finalize;
}

static void
facet_local_model_init (FacetLocalModel *self)
{
}

static char *
title_of (const FacetScanned *scanned)
{
  g_autofree char *base = g_path_get_basename (scanned->path);

  if (scanned->info != NULL && *scanned->info->name != '\0')
    return g_utf8_make_valid (scanned->info->name, -1);
  return g_filename_display_name (base);
}

FacetLocalModel *
facet_local_model_new (FacetScanned *scanned)
{
  FacetLocalModel *self = g_object_new (FACET_TYPE_LOCAL_MODEL, NULL);

  self->scanned = scanned;
  self->title = title_of (scanned);
  return self;
}

const char *
facet_local_model_get_path (FacetLocalModel *self)
{
  g_return_val_if_fail (FACET_IS_LOCAL_MODEL (self), NULL);

  return self->scanned->path;
}

const char *
facet_local_model_get_title (FacetLocalModel *self)
{
  g_return_val_if_fail (FACET_IS_LOCAL_MODEL (self), NULL);

  return self->title;
}

const char *
facet_local_model_get_projector (FacetLocalModel *self)
{
  g_return_val_if_fail (FACET_IS_LOCAL_MODEL (self), NULL);

  return self->scanned->projector;
}

FacetSenses
facet_local_model_get_senses (FacetLocalModel *self)
{
  g_return_val_if_fail (FACET_IS_LOCAL_MODEL (self), FACET_SENSE_TEXT);

  return self->scanned->senses;
}

const FacetModelInfo *
facet_local_model_get_info (FacetLocalModel *self)
{
  g_return_val_if_fail (FACET_IS_LOCAL_MODEL (self), NULL);

  return self->scanned->problem ? NULL : self->scanned->info;
}

const char *
facet_local_model_get_problem (FacetLocalModel *self)
{
  g_return_val_if_fail (FACET_IS_LOCAL_MODEL (self), NULL);

  return self->scanned->problem;
}

const FacetMemoryPlan *
facet_local_model_get_memory (FacetLocalModel *self)
{
  g_return_val_if_fail (FACET_IS_LOCAL_MODEL (self), NULL);

  return self->scanned->has_memory ? &self->scanned->memory : NULL;
}

static char *
format_parameters (guint64 parameters)
{
  /* Translators: a number of parameters in millions, then in billions (10⁹), as in “Gemma 3 1B”. */
  if (parameters < 999500000)
    return g_strdup_printf (C_("parameters of a model", "%.0fM"), parameters / 1e6);
  return g_strdup_printf (C_("parameters of a model", "%.1fB"), parameters / 1e9);
}

char *
facet_local_model_describe (FacetLocalModel *self)
{
  static const char *const families[] = { "", "Gemma 3", "Gemma 3n", "Gemma 4" };
  const FacetModelInfo *info;
  g_autofree char *parameters = NULL;
  g_autofree char *size = NULL;

  g_return_val_if_fail (FACET_IS_LOCAL_MODEL (self), NULL);

  info = facet_local_model_get_info (self);
  if (info == NULL)
    return g_strdup (self->scanned->problem);
  parameters = format_parameters (info->parameters);
  size = g_format_size (info->file_bytes);
  return g_strjoin (" · ", families[info->family], parameters, info->quantization, size, NULL);
}

char *
facet_local_model_name_file (FacetLocalModel *self)
{
  const FacetModelInfo *info;

  g_return_val_if_fail (FACET_IS_LOCAL_MODEL (self), NULL);

  info = facet_local_model_get_info (self);
  return info != NULL ? g_strjoin (" · ", self->title, info->quantization, NULL) : g_strdup (self->title);
}
