#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-preferences-private.h"

#include "facet-machine.h"

/* ---- a row that chooses among devices ----------------------------------- */

typedef struct {
  char *id;
  char *name;
} Choice;

/* In a thread. Returns: (transfer full) (element-type Choice) */
typedef GPtrArray *(*LookFunc) (void);

/* The row's data: "settings", "key", "automatic" (what stands for no choice),
 * "ids" (a GPtrArray of strings, in the order of its list) and "missing" (the one
 * of them that is not there, NULL while nothing is known). */

static void
choice_free (gpointer data)
{
  Choice *choice = data;

  g_free (choice->id);
  g_free (choice->name);
  g_free (choice);
}

static void
add_choice (GPtrArray *choices, const char *id, char *name)
{
  Choice *choice = g_new (Choice, 1);

  *choice = (Choice){ g_strdup (id), name };
  g_ptr_array_add (choices, choice);
}

static void
describe (AdwComboRow *row)
{
  GPtrArray *ids = g_object_get_data (G_OBJECT (row), "ids");
  const char *missing = g_object_get_data (G_OBJECT (row), "missing");
  gboolean chosen = missing != NULL && ids->pdata[adw_combo_row_get_selected (row)] == missing;

  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), chosen ? _("The chosen device is not there now") : "");
}

static void
add_item (GtkStringList *names, GPtrArray *ids, const char *name, const char *id)
{
  gtk_string_list_append (names, name);
  g_ptr_array_add (ids, g_strdup (id));
}

/* A device that is chosen but not there now stays in the list; the row says so. */
static void
fill (AdwComboRow *row, GPtrArray *choices)
{
  GSettings *settings = g_object_get_data (G_OBJECT (row), "settings");
  g_autofree char *chosen = g_settings_get_string (settings, g_object_get_data (G_OBJECT (row), "key"));
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  gboolean missing;
  guint position;

  add_item (names, ids, g_object_get_data (G_OBJECT (row), "automatic"), "");
  for (guint i = 0; choices != NULL && i < choices->len; i++) {
    const Choice *choice = choices->pdata[i];

    add_item (names, ids, choice->name, choice->id);
  }
  missing = !g_ptr_array_find_with_equal_func (ids, chosen, g_str_equal, NULL);
  if (missing)
    add_item (names, ids, chosen, chosen);
  g_ptr_array_find_with_equal_func (ids, chosen, g_str_equal, &position);
  g_object_set_data (G_OBJECT (row), "ids", NULL);
  adw_combo_row_set_model (row, G_LIST_MODEL (names));
  adw_combo_row_set_selected (row, position);
  g_object_set_data (G_OBJECT (row), "missing", missing && choices != NULL ? ids->pdata[position] : NULL);
  g_object_set_data_full (G_OBJECT (row), "ids", ids, (GDestroyNotify) g_ptr_array_unref);
  describe (row);
}

/* Names of devices are long: what the row has no room for is said when it is
 * pointed at. */
static void
selected_cb (AdwComboRow *row)
{
  GPtrArray *ids = g_object_get_data (G_OBJECT (row), "ids");
  guint position = adw_combo_row_get_selected (row);
  GtkStringObject *item = adw_combo_row_get_selected_item (row);

  gtk_widget_set_tooltip_text (GTK_WIDGET (row), item != NULL ? gtk_string_object_get_string (item) : NULL);
  if (ids == NULL || position >= ids->len)
    return;
  describe (row);
  g_settings_set_string (g_object_get_data (G_OBJECT (row), "settings"), g_object_get_data (G_OBJECT (row), "key"),
                         ids->pdata[position]);
}

static void
look_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  LookFunc look = (LookFunc) data;

  g_task_return_pointer (task, look (), (GDestroyNotify) g_ptr_array_unref);
}

static void
looked_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (AdwComboRow) row = data;
  g_autoptr (GPtrArray) choices = g_task_propagate_pointer (G_TASK (result), NULL);

  fill (row, choices);
}

static GtkWidget *
device_row_new (GSettings *settings, const char *key, const char *title, const char *automatic, LookFunc look)
{
  GtkWidget *row = adw_combo_row_new ();
  g_autoptr (GTask) task = g_task_new (NULL, NULL, looked_cb, g_object_ref (row));

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  g_object_set_data_full (G_OBJECT (row), "settings", g_object_ref (settings), g_object_unref);
  g_object_set_data (G_OBJECT (row), "key", (gpointer) key);
  g_object_set_data (G_OBJECT (row), "automatic", (gpointer) automatic);
  g_signal_connect (row, "notify::selected-item", G_CALLBACK (selected_cb), NULL);
  fill (ADW_COMBO_ROW (row), NULL);
  g_task_set_task_data (task, (gpointer) look, NULL);
  g_task_run_in_thread (task, look_thread);
  return row;
}

/* ---- sound -------------------------------------------------------------- */

static GPtrArray *
look_for_sound (FacetVoiceDirection direction)
{
  g_autoptr (GPtrArray) devices = facet_voice_devices (direction);
  GPtrArray *choices = g_ptr_array_new_with_free_func (choice_free);

  for (guint i = 0; i < devices->len; i++) {
    const FacetVoiceDevice *device = devices->pdata[i];

    add_choice (choices, device->id, g_strdup (device->name));
  }
  return choices;
}

static GPtrArray *
look_for_microphones (void)
{
  return look_for_sound (FACET_VOICE_INPUT);
}

static GPtrArray *
look_for_speakers (void)
{
  return look_for_sound (FACET_VOICE_OUTPUT);
}

GtkWidget *
facet_microphone_row_new (GSettings *settings)
{
  return device_row_new (settings, "microphone", _("Microphone"), C_("sound device", "Like the System"), look_for_microphones);
}

GtkWidget *
facet_speaker_row_new (GSettings *settings)
{
  return device_row_new (settings, "speaker", _("Loudspeaker"), C_("sound device", "Like the System"), look_for_speakers);
}

/* ---- graphics ----------------------------------------------------------- */

static GPtrArray *
look_for_graphics (void)
{
  g_autoptr (GPtrArray) devices = facet_machine_graphics ();
  GPtrArray *choices = g_ptr_array_new_with_free_func (choice_free);

  for (guint i = 0; i < devices->len; i++) {
    const FacetGraphicsDevice *device = devices->pdata[i];
    /* Translators: %s is the name of a program that plays a graphics card on the processor */
    char *name = device->software ? g_strdup_printf (_("%s (software, slow)"), device->id) : g_strdup (device->id);

    add_choice (choices, device->id, name);
  }
  return choices;
}

static gboolean
is_used (GValue *value, GVariant *backend, gpointer data)
{
  g_value_set_boolean (value, !g_str_equal (g_variant_get_string (backend, NULL), "cpu"));
  return TRUE;
}

GtkWidget *
facet_graphics_row_new (GSettings *settings)
{
  GtkWidget *row = device_row_new (settings, "graphics-device", _("Graphics Device"), C_("graphics device", "Automatic"),
                                   look_for_graphics);

  g_settings_bind_with_mapping (settings, "backend", row, "sensitive", G_SETTINGS_BIND_GET, is_used, NULL, NULL, NULL);
  return row;
}
