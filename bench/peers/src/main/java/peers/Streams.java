package peers;

import static org.apache.kafka.streams.StreamsConfig.consumerPrefix;
import static org.apache.kafka.streams.StreamsConfig.producerPrefix;

import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;

/** Kafka Streams, exactly-once v2: how its programs are set up, and run until they are stopped. */
final class Streams {
    private static Properties properties(Settings settings) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, settings.text("servers"));
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, settings.text("group"));
        properties.put(StreamsConfig.STATE_DIR_CONFIG, settings.text("dir"));
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, settings.number("commit"));
        properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, settings.number("threads"));
        properties.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        // Larger polls and requests than the defaults, which are made for small records at rest.
        properties.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
        properties.put(consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10_000);
        properties.put(consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        properties.put(producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 1_000_000);
        properties.put(producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 64 << 20);
        properties.put(producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 5);
        return properties;
    }

    /** It leaves its group at the end: who comes next needn't wait for its session to be over. */
    static void run(Topology topology, Settings settings) throws InterruptedException {
        KafkaStreams streams = new KafkaStreams(topology, properties(settings));
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        CountDownLatch closed = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(CloseOptions.timeout(Duration.ofSeconds(30))
                .withGroupMembershipOperation(GroupMembershipOperation.LEAVE_GROUP));
            closed.countDown();
        }));
        streams.start();
        closed.await();
    }

    private Streams() {}
}
