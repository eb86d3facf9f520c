#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-catalog-row.h"
#include "facet-model-fetch.h"

struct _FacetCatalogRow {
  AdwPreferencesRow  parent_instance;

  GtkLabel          *name_label;
  GtkWidget         *badge;
  GtkLabel          *facts_label;
  GtkProgressBar    *progress;
  GtkLabel          *progress_label;
  GtkLabel          *message_label;
  GtkWidget         *done_icon;
  GtkButton         *start_button;
  GtkWidget         *pause_button;
  GtkWidget         *discard_button;

  FacetCatalogModel *model;
  GPtrArray         *files;
  FacetModelFetch   *fetch;
};

static guint fetched_signal;

G_DEFINE_FINAL_TYPE (FacetCatalogRow, facet_catalog_row, ADW_TYPE_PREFERENCES_ROW)

const char *
facet_senses_describe (FacetSenses senses)
{
  switch (senses & (FACET_SENSE_IMAGES | FACET_SENSE_SOUND)) {
  case FACET_SENSE_IMAGES:
    return C_("what a model understands", "Text and pictures");
  case FACET_SENSE_SOUND:
    return C_("what a model understands", "Text and sound");
  case FACET_SENSE_IMAGES | FACET_SENSE_SOUND:
    return C_("what a model understands", "Text, pictures and sound");
  default:
    return C_("what a model understands", "Text");
  }
}

static char *
describe_facts (FacetCatalogModel *model)
{
  guint memory = facet_catalog_model_get_memory (model);
  const char *senses = facet_senses_describe (facet_catalog_model_get_senses (model));

  if ((guint64) memory << 30 > facet_catalog_machine_memory () + (G_GUINT64_CONSTANT (1) << 29))
    /* Translators: %s is what a model understands, such as “Text and pictures”. */
    return g_strdup_printf (ngettext ("%s · needs %u GB of memory, more than this machine has",
                                      "%s · needs %u GB of memory, more than this machine has", memory),
                            senses, memory);
  if (facet_catalog_model_needs_gpu (model))
    return g_strdup_printf (ngettext ("%s · needs %u GB of memory; slow without a graphics card",
                                      "%s · needs %u GB of memory; slow without a graphics card", memory),
                            senses, memory);
  return g_strdup_printf (ngettext ("%s · needs %u GB of memory", "%s · needs %u GB of memory", memory), senses, memory);
}

/* There is one for each model, which @name says. Takes @name. */
static void
name_button (GtkWidget *button, char *name)
{
  gtk_widget_set_tooltip_text (button, name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  g_free (name);
}

static void
name_controls (FacetCatalogRow *self)
{
  const char *model = facet_catalog_model_get_name (self->model);
  /* Translators: %s is the name of a model. */
  g_autofree char *progress = g_strdup_printf (_("Download progress of %s"), model);

  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, model, -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->progress), GTK_ACCESSIBLE_PROPERTY_LABEL, progress, -1);
  /* Translators: %s is the name of a model. */
  name_button (self->pause_button, g_strdup_printf (_("Pause the Download of %s"), model));
  /* Translators: %s is the name of a model. */
  name_button (self->discard_button, g_strdup_printf (_("Cancel the Download of %s and Remove What Has Arrived"), model));
}

static void
show_start_button (FacetCatalogRow *self, FacetDownloadState state, gboolean part)
{
  const char *icon = "folder-download-symbolic";
  /* Translators: %s is the name of a model. */
  const char *name = _("Download %s");

  if (state == FACET_DOWNLOAD_FAILED) {
    icon = "view-refresh-symbolic";
    /* Translators: %s is the name of a model. */
    name = _("Try to Download %s Again");
  } else if (part) {
    icon = "media-playback-start-symbolic";
    /* Translators: %s is the name of a model. */
    name = _("Resume the Download of %s");
  }
  gtk_button_set_icon_name (self->start_button, icon);
  name_button (GTK_WIDGET (self->start_button), g_strdup_printf (name, facet_catalog_model_get_name (self->model)));
  gtk_widget_set_visible (GTK_WIDGET (self->start_button),
                          self->files->len > 0
                            && (state == FACET_DOWNLOAD_PAUSED || state == FACET_DOWNLOAD_FAILED));
}

static void
show_progress (FacetCatalogRow *self)
{
  double fraction = facet_model_fetch_get_fraction (self->fetch);
  g_autofree char *text = facet_model_fetch_describe (self->fetch);

  if (facet_model_fetch_get_state (self->fetch) == FACET_DOWNLOAD_CHECKING || fraction < 0)
    gtk_progress_bar_pulse (self->progress);
  else
    gtk_progress_bar_set_fraction (self->progress, fraction);
  gtk_label_set_text (self->progress_label, text);
}

static void
update (FacetCatalogRow *self)
{
  FacetDownloadState state = facet_model_fetch_get_state (self->fetch);
  const char *message = facet_model_fetch_get_message (self->fetch);
  gboolean part = facet_model_fetch_has_part (self->fetch);
  gboolean busy = state == FACET_DOWNLOAD_RUNNING || state == FACET_DOWNLOAD_CHECKING;

  show_start_button (self, state, part);
  gtk_widget_set_visible (self->pause_button, state == FACET_DOWNLOAD_RUNNING);
  gtk_widget_set_visible (self->discard_button, busy || (part && state != FACET_DOWNLOAD_DONE));
  gtk_widget_set_visible (self->done_icon, state == FACET_DOWNLOAD_DONE);
  gtk_widget_set_visible (GTK_WIDGET (self->progress), busy || (part && state != FACET_DOWNLOAD_DONE));
  gtk_widget_set_visible (GTK_WIDGET (self->progress_label), gtk_widget_get_visible (GTK_WIDGET (self->progress)));
  gtk_widget_set_visible (GTK_WIDGET (self->message_label), message != NULL);
  gtk_label_set_text (self->message_label, message ? message : "");
  if (state == FACET_DOWNLOAD_FAILED)
    gtk_widget_add_css_class (GTK_WIDGET (self->message_label), "error");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self->message_label), "error");
  show_progress (self);
}

static void
state_cb (FacetModelFetch *fetch, GParamSpec *pspec, FacetCatalogRow *self)
{
  update (self);
  if (facet_model_fetch_get_state (fetch) == FACET_DOWNLOAD_DONE)
    g_signal_emit (self, fetched_signal, 0);
}

/* The host, licence and what can be checked, before anything is asked for. */
static char *
describe_consent (FacetCatalogRow *self)
{
  const FacetCatalogFile *file = self->files->pdata[0];
  g_autoptr (GUri) uri = g_uri_parse (file->url, G_URI_FLAGS_NONE, NULL);
  gboolean known = TRUE;

  for (guint i = 0; i < self->files->len; i++)
    known = known && ((FacetCatalogFile *) self->files->pdata[i])->sha256 != NULL;
  /* Translators: the first %s is the name of a web server, the second the name of a licence. */
  if (known)
    return g_strdup_printf (_("The files come from %s under the “%s”. Their checksums are checked when they have "
                              "arrived."), g_uri_get_host (uri), facet_catalog_model_get_licence (self->model));
  return g_strdup_printf (_("The files come from %s under the “%s”. Facet does not know their checksums; it checks that "
                            "they arrive whole and are model files."), g_uri_get_host (uri),
                          facet_catalog_model_get_licence (self->model));
}

static void
consent_cb (AdwMessageDialog *dialog, const char *response, FacetCatalogRow *self)
{
  if (g_str_equal (response, "download"))
    facet_model_fetch_start (self->fetch);
}

static void
ask (FacetCatalogRow *self)
{
  g_autofree char *body = describe_consent (self);
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));
  /* Translators: %s is the name of a model. */
  g_autofree char *heading = g_strdup_printf (_("Download %s?"), facet_catalog_model_get_name (self->model));
  GtkWidget *dialog = adw_message_dialog_new (GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL, heading, body);
  GtkWidget *link = gtk_link_button_new_with_label (facet_catalog_model_get_terms (self->model), _("Read the _Licence"));

  gtk_button_set_use_underline (GTK_BUTTON (link), TRUE);
  adw_message_dialog_set_extra_child (ADW_MESSAGE_DIALOG (dialog), link);
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _("_Cancel"), "download", _("_Download"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "download", ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "download");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_signal_connect_object (dialog, "response", G_CALLBACK (consent_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
start_clicked_cb (FacetCatalogRow *self)
{
  if (facet_model_fetch_has_part (self->fetch) || facet_model_fetch_get_state (self->fetch) == FACET_DOWNLOAD_FAILED)
    facet_model_fetch_start (self->fetch);
  else
    ask (self);
}

static void
pause_clicked_cb (FacetCatalogRow *self)
{
  facet_model_fetch_pause (self->fetch);
}

static void
discard_clicked_cb (FacetCatalogRow *self)
{
  facet_model_fetch_discard (self->fetch);
  update (self);
}

static void
facet_catalog_row_dispose (GObject *object)
{
  FacetCatalogRow *self = FACET_CATALOG_ROW (object);

  if (self->fetch != NULL)
    g_signal_handlers_disconnect_by_data (self->fetch, self);
  g_clear_object (&self->fetch);
  g_clear_object (&self->model);
  g_clear_pointer (&self->files, g_ptr_array_unref);
  G_OBJECT_CLASS (facet_catalog_row_parent_class)->dispose (object);
}

static void
facet_catalog_row_class_init (FacetCatalogRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = facet_catalog_row_dispose;
  fetched_signal = g_signal_new ("fetched", FACET_TYPE_CATALOG_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/facet_desktop/Facet/facet-catalog-row.ui");
  gtk_widget_class_bind_template_child (widget_class, FacetCatalogRow, name_label);
  gtk_widget_class_bind_template_child (widget_class, FacetCatalogRow, badge);
  gtk_widget_class_bind_template_child (widget_class, FacetCatalogRow, facts_label);
  gtk_widget_class_bind_template_child (widget_class, FacetCatalogRow, progress);
  gtk_widget_class_bind_template_child (widget_class, FacetCatalogRow, progress_label);
  gtk_widget_class_bind_template_child (widget_class, FacetCatalogRow, message_label);
  gtk_widget_class_bind_template_child (widget_class, FacetCatalogRow, done_icon);
  gtk_widget_class_bind_template_child (widget_class, FacetCatalogRow, start_button);
  gtk_widget_class_bind_template_child (widget_class, FacetCatalogRow, pause_button);
  gtk_widget_class_bind_template_child (widget_class, FacetCatalogRow, discard_button);
  gtk_widget_class_bind_template_callback (widget_class, start_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, pause_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, discard_clicked_cb);
}

static void
facet_catalog_row_init (FacetCatalogRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

FacetCatalogRow *
facet_catalog_row_new (FacetCatalogModel *model, int precision, const char *folder)
{
  FacetCatalogRow *self = g_object_new (FACET_TYPE_CATALOG_ROW, NULL);
  g_autofree char *facts = describe_facts (model);

  self->model = g_object_ref (model);
  self->files = facet_catalog_model_pick (model, precision);
  self->fetch = facet_model_fetch_new (self->files, folder);
  g_signal_connect (self->fetch, "notify::state", G_CALLBACK (state_cb), self);
  g_signal_connect_swapped (self->fetch, "notify::message", G_CALLBACK (update), self);
  g_signal_connect_swapped (self->fetch, "notify::fraction", G_CALLBACK (show_progress), self);
  gtk_label_set_text (self->name_label, facet_catalog_model_get_name (model));
  gtk_label_set_text (self->facts_label, facts);
  name_controls (self);
  update (self);
  return self;
}

FacetCatalogModel *
facet_catalog_row_get_model (FacetCatalogRow *self)
{
  g_return_val_if_fail (FACET_IS_CATALOG_ROW (self), NULL);

  return self->model;
}

void
facet_catalog_row_set_recommended (FacetCatalogRow *self, gboolean recommended)
{
  g_return_if_fail (FACET_IS_CATALOG_ROW (self));

  gtk_widget_set_visible (self->badge, recommended);
  if (recommended)
    gtk_widget_add_css_class (GTK_WIDGET (self->start_button), "suggested-action");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self->start_button), "suggested-action");
}

gboolean
facet_catalog_row_is_busy (FacetCatalogRow *self)
{
  FacetDownloadState state;

  g_return_val_if_fail (FACET_IS_CATALOG_ROW (self), FALSE);

  state = facet_model_fetch_get_state (self->fetch);
  return state == FACET_DOWNLOAD_RUNNING || state == FACET_DOWNLOAD_CHECKING;
}
